/** From the messages of a room's channel to the lines of its chat. */

import type { Message, Publication, PublishedMessage } from '@liveloom/client';

/** Actions that the SDKs know. */
export const CHAT = 'liveroom-pubchat';
export const BARRAGE = 'living_danmu';
export const WELCOME = 'liveroom-welcome';

interface Place {
  /** Names the message in its room. */
  readonly key: string;
  readonly epoch: string;
  readonly offset: number;
  readonly ts: number;
}

export interface TextLine extends Place {
  readonly kind: 'chat' | 'barrage';
  readonly from: string;
  readonly text: string;
}

export interface GiftLine extends Place {
  readonly kind: 'gift';
  readonly from: string;
  readonly giftId: number;
  readonly amount: number;
}

/** Something that happened; `text` is a key of the translations. */
export interface NoticeLine extends Place {
  readonly kind: 'notice';
  readonly text: string;
  /** Whom it is about, where it is about somebody. */
  readonly user: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export type Line = TextLine | GiftLine | NoticeLine;

type Fields = Record<string, unknown>;

export const fieldsOf = (data: unknown): Fields =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Fields) : {};

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** Where a message stands in its room. */
export const keyOf = (epoch: string, offset: number): string => `${epoch}:${offset}`;

/** A message of the history as the subscription would have delivered it. */
export function messageOf(channel: string, epoch: string, { offset, pub }: Publication): Message {
  const place = { channel, epoch, offset, ts: pub.ts };
  if (pub.deleted) return { ...place, deleted: true };
  return { ...place, deleted: false, from: pub.from, action: pub.action, data: pub.data };
}

type Notice = (data: Fields, from: string) => Omit<NoticeLine, keyof Place | 'kind'> | null;

const about = (text: string): Notice => (data) => ({ text, user: textOf(data.user_id), params: {} });
const plain = (text: string): Notice => () => ({ text, user: '', params: {} });

const NOTICES: Record<string, Notice> = {
  [WELCOME]: (_, from) => ({ text: 'notice.came', user: from, params: {} }),
  muted: about('notice.muted'),
  unmuted: about('notice.unmuted'),
  kicked: about('notice.kicked'),
  banned: about('notice.banned'),
  live_started: plain('notice.started'),
  live_stopped: plain('notice.stopped'),
  censor_stop: plain('notice.censored'),
  room_muted: (data) => ({ text: data.is_muted ? 'notice.roomMuted' : 'notice.roomUnmuted', user: '', params: {} }),
  slow_mode: (data) => {
    const seconds = numberOf(data.seconds);
    return { text: seconds ? 'notice.slow' : 'notice.notSlow', user: '', params: { n: seconds } };
  },
  moderators: (data) => ({
    text: data.is_moderator ? 'notice.moderator' : 'notice.noModerator',
    user: textOf(data.user_id),
    params: {},
  }),
};

/** The line that a message makes; most kinds of message make none. */
export function lineOf(message: PublishedMessage): Line | null {
  const { epoch, offset, ts, from, action } = message;
  const data = fieldsOf(message.data);
  const place = { key: keyOf(epoch, offset), epoch, offset, ts };
  if (action === CHAT || action === BARRAGE) {
    const text = textOf(data.content).trim() || textOf(message.data).trim();
    return text ? { ...place, kind: action === CHAT ? 'chat' : 'barrage', from, text } : null;
  }
  if (action === 'gift_notify') {
    return { ...place, kind: 'gift', from, giftId: numberOf(data.gift_id), amount: numberOf(data.amount) };
  }
  const notice = NOTICES[action]?.(data, from);
  return notice ? { ...place, kind: 'notice', ...notice } : null;
}
