/** The calls that the room makes. */

import type { Page } from '../shared/http';
import { segment } from '../shared/http';
import { callAsMe as call } from './composables/useSession';
import type { ChatSettings, Gift, GiftType, Item, Pk, Room, Sanction, Seat, StatsEntry, User } from './logic/types';

const moderation = (liveId: string): string => `/client/live/room/${segment(liveId)}/moderation`;

/** Which rooms: open ones (live or announced), live ones, or one's own. */
export type Shelf = 'open' | 'live' | 'mine';

const LIVE_STATUS = { open: -1, live: 1 } as const;

export const lobby = {
  list: (shelf: Shelf, page: number, size: number) => {
    const paging = { page_num: page, page_size: size };
    return shelf === 'mine'
      ? call<Page<Room>>('GET', '/client/live/room/list/anchor', { query: paging })
      : call<Page<Room>>('GET', '/client/live/room/list', { query: { live_status: LIVE_STATUS[shelf], ...paging } });
  },
  search: (keyword: string, page: number, size: number) =>
    call<Page<Room>>('GET', '/client/live/room', { query: { keyword, page_num: page, page_size: size } }),
  create: (room: { title: string; notice: string; cover_url: string }) =>
    call<Room>('POST', '/client/live/room/instance', { body: room }),
};

export const rooms = {
  info: (liveId: string) => call<Room>('GET', `/client/live/room/info/${segment(liveId)}`),
  join: (liveId: string) => call<Room>('POST', `/client/live/room/user/${segment(liveId)}`),
  leave: (liveId: string) => call<void>('DELETE', `/client/live/room/user/${segment(liveId)}`),
  heartbeat: (liveId: string) =>
    call<{ live_status: Room['live_status'] }>('GET', `/client/live/room/heartbeat/${segment(liveId)}`),
  start: (liveId: string) => call<Room>('PUT', `/client/live/room/${segment(liveId)}`),
  stop: (liveId: string) => call<void>('DELETE', `/client/live/room/${segment(liveId)}`),
  remove: (liveId: string) => call<void>('DELETE', `/client/live/room/instance/${segment(liveId)}`),
  users: (liveId: string, page: number, size: number) =>
    call<Page<User>>('GET', '/client/live/room/user_list', {
      query: { live_id: liveId, page_num: page, page_size: size },
    }),
  like: (liveId: string, count: number) =>
    call<{ count: number; total: number }>('PUT', `/client/live/room/${segment(liveId)}/like`, { body: { count } }),
  stats: (liveId: string) => call<{ info: StatsEntry[] }>('GET', `/client/stats/singleLive/${segment(liveId)}`),
  seats: (liveId: string) => call<Seat[]>('GET', `/client/mic/room/list/${segment(liveId)}`),
  pk: (id: string) => call<Pk>('GET', `/client/relay/${segment(id)}`),
};

export const users = {
  many: (ids: readonly string[]) => {
    const query = ids.map((id) => `user_ids=${segment(id)}`).join('&');
    return call<User[]>('GET', `/client/user/users?${query}`);
  },
};

export const items = {
  list: (liveId: string) => call<Item[] | null>('GET', `/client/item/${segment(liveId)}`),
  demonstrated: (liveId: string) => call<Item | null>('GET', `/client/item/demonstrate/${segment(liveId)}`),
  add: (liveId: string, item: Omit<Item, 'tags' | 'origin_price'>) =>
    call<void>('POST', '/client/item/add', { body: { live_id: liveId, items: [item] } }),
  remove: (liveId: string, itemId: string) =>
    call<void>('POST', '/client/item/delete', { body: { live_id: liveId, items: [itemId] } }),
  demonstrate: (liveId: string, itemId: string) =>
    call<void>('POST', `/client/item/demonstrate/${segment(liveId)}/${segment(itemId)}`),
  endDemonstration: (liveId: string) => call<void>('DELETE', `/client/item/demonstrate/${segment(liveId)}`),
};

export const gifts = {
  types: () => call<GiftType[] | null>('GET', '/client/gift/config/-1'),
  send: (liveId: string, giftId: number, amount: number, key: string) =>
    call<Gift>('POST', '/client/gift/send', {
      body: { live_id: liveId, gift_id: giftId, amount },
      headers: { 'Idempotency-Key': key },
    }),
  find: (bizId: string) => call<Gift>('GET', `/client/gift/${segment(bizId)}`),
};

export const moderations = {
  settings: (liveId: string) => call<ChatSettings>('GET', moderation(liveId)),
  change: (liveId: string, settings: Partial<ChatSettings>) =>
    call<ChatSettings>('PUT', moderation(liveId), { body: settings }),
  mutes: (liveId: string) =>
    call<Page<Sanction>>('GET', `${moderation(liveId)}/mutes`, { query: { page_size: 200 } }),
  mute: (liveId: string, userId: string) =>
    call<void>('PUT', `${moderation(liveId)}/mutes/${segment(userId)}`, { body: {} }),
  unmute: (liveId: string, userId: string) =>
    call<void>('DELETE', `${moderation(liveId)}/mutes/${segment(userId)}`),
  kick: (liveId: string, userId: string) =>
    call<void>('POST', `${moderation(liveId)}/kick/${segment(userId)}`, { body: {} }),
  deleteMessage: (liveId: string, epoch: string, offset: number) =>
    call<void>('DELETE', `${moderation(liveId)}/messages/${segment(epoch)}/${offset}`),
};
