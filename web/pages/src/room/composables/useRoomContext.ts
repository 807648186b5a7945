/** What the parts of a room share. */

import { computed, inject, type InjectionKey, provide, reactive, ref } from 'vue';
import { useBarrage } from './useBarrage';
import { useChat } from './useChat';
import { useGiftShow } from './useGiftShow';
import { useGifts } from './useGifts';
import { useGuests } from './useGuests';
import { useHearts } from './useHearts';
import { useItems } from './useItems';
import { useLikes } from './useLikes';
import { useModeration } from './useModeration';
import { useRoom } from './useRoom';
import { useToasts } from './useToasts';
import { useUsers } from './useUsers';

function makeContext(liveId: string) {
  const visit = useRoom(liveId);
  const { state } = visit;
  const chat = useChat(visit);
  const likes = useLikes(visit);
  const barrage = useBarrage();
  const hearts = useHearts();
  const giftShow = useGiftShow();
  const wantsToAct = ref(true);
  chat.onNew((line) => {
    if (line.kind === 'barrage') barrage.add(line);
    else if (line.kind === 'gift') giftShow.add(line);
  });
  likes.onLike(hearts.rise);
  return {
    visit,
    state,
    chat,
    likes,
    barrage,
    hearts,
    giftShow,
    gifts: useGifts(visit),
    items: useItems(visit),
    users: useUsers(visit),
    guests: useGuests(visit),
    moderation: useModeration(visit),
    /** Whether the visitor, in an own room, has the anchor's controls before them. */
    anchor: reactive({ wantsToAct, isActing: computed(() => state.isOwn && wantsToAct.value) }),
  };
}

export type RoomContext = ReturnType<typeof makeContext>;

const KEY: InjectionKey<RoomContext> = Symbol('room');

/** Makes what the parts of the room `liveId` share, and enters it. */
export function provideRoom(liveId: string): RoomContext {
  const context = makeContext(liveId);
  provide(KEY, context);
  const { visit, likes, gifts, items, moderation, state, guests } = context;
  const { failed } = useToasts();
  void visit.enter().then(async () => {
    if (!state.room) return;
    const loads = [likes.load(), gifts.load(), items.load(), guests.load()];
    if (state.isOwn) loads.push(moderation.load());
    const bad = (await Promise.allSettled(loads)).find((load) => load.status === 'rejected');
    if (bad) failed(bad.reason);
  });
  return context;
}

export function useRoomContext(): RoomContext {
  const context = inject(KEY);
  if (!context) throw new Error('not in a room');
  return context;
}
