/** Who is in the room. */

import { onScopeDispose, ref } from 'vue';
import { rooms } from '../api';
import type { User } from '../logic/types';
import { useNames } from './useNames';
import type { RoomVisit } from './useRoom';

const SIZE = 20;

/** Comings and goings of this time are looked at together. */
const GATHER_MS = 500;

export function useUsers({ channel, state }: RoomVisit) {
  const { learn } = useNames();
  const users = ref<User[]>([]);
  const total = ref(0);
  const page = ref(1);
  const isLoaded = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isShown = false;

  async function load(): Promise<void> {
    const found = await rooms.users(state.liveId, page.value, SIZE);
    learn(found.list);
    users.value = found.list;
    total.value = found.total_count;
    isLoaded.value = true;
    // The last of a page may have gone.
    if (found.list.length === 0 && page.value > 1) {
      page.value -= 1;
      await load();
    }
  }

  async function turn(to: number): Promise<void> {
    page.value = to;
    await load();
  }

  channel.listen((message) => {
    if (message.deleted || message.action !== 'online_count' || !isShown) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void load().catch(() => undefined);
    }, GATHER_MS);
  });
  onScopeDispose(() => clearTimeout(timer));

  return {
    users,
    total,
    page,
    size: SIZE,
    isLoaded,
    load,
    turn,
    /** Follows comings and goings while somebody looks. */
    show: (is: boolean) => {
      isShown = is;
      if (is) void load().catch(() => undefined);
    },
  };
}

export type Users = ReturnType<typeof useUsers>;
