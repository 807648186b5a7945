/** Likes of a room: giving them, and how many there are. */

import { onScopeDispose, ref } from 'vue';
import { rooms } from '../api';
import { fieldsOf, numberOf } from '../logic/lines';
import type { RoomVisit } from './useRoom';
import { useSession } from './useSession';
import { useToasts } from './useToasts';

/** Clicks of this time go out as one call. */
const GATHER_MS = 250;

/** What the server takes at once. */
const MOST = 1000;

/** The type of likes in a room's statistics. */
const LIKES = 6;

/** The statistics follow within about a second. */
const SETTLED_MS = 3_000;

export function useLikes({ channel, state, onRefresh }: RoomVisit) {
  const session = useSession();
  const { failed } = useToasts();
  const total = ref(0);
  let waiting = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let changedAt = 0;
  let atLike: (count: number) => void = () => undefined;

  async function load(): Promise<void> {
    const asked = Date.now();
    const { info } = await rooms.stats(state.liveId);
    // A count that is older than what the room was told since would go backwards.
    if (changedAt > asked - SETTLED_MS) return;
    total.value = info.find((entry) => entry.type === LIKES)?.page_view ?? total.value;
  }

  function like(): void {
    waiting = Math.min(waiting + 1, MOST);
    total.value += 1;
    changedAt = Date.now();
    atLike(1);
    timer ??= setTimeout(() => void send(), GATHER_MS);
  }

  async function send(): Promise<void> {
    const count = waiting;
    waiting = 0;
    timer = undefined;
    try {
      const answer = await rooms.like(state.liveId, count);
      total.value = answer.total + waiting;
    } catch (error) {
      total.value = Math.max(0, total.value - count);
      failed(error);
    }
    changedAt = Date.now();
  }

  channel.listen((message, { isLate }) => {
    // One's own are counted by the answer.
    if (message.deleted || message.action !== 'like_notify' || message.from === session.state.me?.user_id) return;
    const count = numberOf(fieldsOf(message.data).count);
    total.value += count;
    changedAt = Date.now();
    if (!isLate) atLike(count);
  });
  onRefresh(load);
  onScopeDispose(() => clearTimeout(timer));

  return {
    total,
    like,
    load,
    /** Calls `act` with each burst of likes, for its hearts. */
    onLike: (act: (count: number) => void) => void (atLike = act),
  };
}

export type Likes = ReturnType<typeof useLikes>;
