/** Names of users, looked up together: a room's messages carry ids alone. */

import { reactive } from 'vue';
import { users } from '../api';
import type { User } from '../logic/types';

/** Look-ups wait so long for others. */
const GATHER_MS = 30;

/** How many one call may ask for. */
const BATCH = 100;

const known = reactive(new Map<string, User>());
const wanted = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

function learn(list: readonly User[]): void {
  for (const user of list) {
    wanted.delete(user.user_id);
    known.set(user.user_id, user);
  }
}

async function look(): Promise<void> {
  timer = undefined;
  const ids = [...wanted].slice(0, BATCH);
  try {
    learn((await users.many(ids)) ?? []);
  } catch {
    // Their ids are shown instead.
  }
  ids.forEach((id) => wanted.delete(id));
  if (wanted.size > 0) timer = setTimeout(() => void look(), GATHER_MS);
}

/** The user's name, or the id until it is known. */
function nameOf(userId: string): string {
  const user = known.get(userId);
  return user?.nick || userId;
}

/** Sees to it that the user's name becomes known. */
function want(userId: string): void {
  if (!userId || known.has(userId)) return;
  wanted.add(userId);
  timer ??= setTimeout(() => void look(), GATHER_MS);
}

export function useNames() {
  return { nameOf, want, learn };
}
