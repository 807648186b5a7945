/** The items that a room sells. */

import { ref } from 'vue';
import { items as api } from '../api';
import { randomId } from '../logic/format';
import type { Item } from '../logic/types';
import type { RoomVisit } from './useRoom';

/** Shown, and on sale. */
const ON_SALE = 1;

/** What the SDKs tell a room of its items. */
const CHANGED = 'liveroom_shopping_refresh';
const EXPLAINING = 'liveroom_shopping_explaining';

export interface Draft {
  title: string;
  current_price: string;
  link: string;
  thumbnail: string;
}

export function useItems({ channel, state, onRefresh }: RoomVisit) {
  const { liveId } = state;
  const items = ref<Item[]>([]);
  /** The id of the item that the anchor explains. */
  const demonstrated = ref('');
  const isLoaded = ref(false);

  async function load(): Promise<void> {
    const [list, shown] = await Promise.all([api.list(liveId), api.demonstrated(liveId)]);
    items.value = list ?? [];
    demonstrated.value = shown?.item_id ?? '';
    isLoaded.value = true;
  }

  /** Shows what was changed, and has the others look. */
  async function changed(action: string, data: object): Promise<void> {
    await load();
    await channel.publish(action, data).catch(() => undefined);
  }

  async function add(draft: Draft): Promise<void> {
    await api.add(liveId, { item_id: randomId(6), status: ON_SALE, ...draft });
    await changed(CHANGED, { live_id: liveId });
  }

  async function remove(itemId: string): Promise<void> {
    await api.remove(liveId, itemId);
    await changed(CHANGED, { live_id: liveId });
  }

  async function demonstrate(itemId: string): Promise<void> {
    await api.demonstrate(liveId, itemId);
    await changed(EXPLAINING, { live_id: liveId, item_id: itemId });
  }

  async function endDemonstration(): Promise<void> {
    await api.endDemonstration(liveId);
    await changed(CHANGED, { live_id: liveId });
  }

  channel.listen((message) => {
    if (!message.deleted && message.action.startsWith('liveroom_shopping_')) void load().catch(() => undefined);
  });
  onRefresh(load);

  return { items, demonstrated, isLoaded, load, add, remove, demonstrate, endDemonstration };
}

export type Items = ReturnType<typeof useItems>;
