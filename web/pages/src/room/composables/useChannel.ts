/** A room's channel: its messages, and how the connection does. */

import { Client, type Message, type Subscription } from '@liveloom/client';
import { readonly, ref } from 'vue';
import { fieldsOf, lineOf, messageOf, textOf } from '../logic/lines';
import { useSession } from './useSession';

/** `recovering`: it was there, and is tried for again. `offline`: the browser has no network, or it is over. */
export type Link = 'connecting' | 'live' | 'recovering' | 'offline';

/** What came of a break: how many messages were brought after, or that some may be missing. */
export type Recovery = { readonly count: number } | 'lost';

/** How a message came: as it was said, or after a break. */
export interface Delivery {
  readonly isLate: boolean;
}

type Listener = (message: Message, delivery: Delivery) => void;

/** How many messages of the past are shown to who enters. */
const HISTORY = 100;

export function useChannel(liveId: string) {
  const channel = `room:${liveId}`;
  const session = useSession();
  const link = ref<Link>('connecting');
  const recovery = ref<Recovery | null>(null);
  const listeners = new Set<Listener>();
  let atBegin: () => void = () => undefined;
  let atGap: () => void = () => undefined;
  let atEnd: (code: number, reason: string) => void = () => undefined;
  let atPersonal: (action: string, text: string) => void = () => undefined;
  let client: Client | null = null;
  let room: Subscription | null = null;
  let wasLive = false;
  let late = 0;

  function open(): void {
    close();
    wasLive = false;
    link.value = 'connecting';
    let used = '';
    client = new Client({
      url: location.origin,
      token: async () => (used = await session.token()),
      backoff: { maxMs: 8_000 },
    });
    client.on('state', note);
    client.on('disconnected', ({ code, reason, retryInMs }) => {
      if (retryInMs !== null || code === 1000) return;
      if (code === 3500) session.expire(used);
      atEnd(code, reason);
    });
    follow(client);
    client.connect();
  }

  function follow(by: Client): void {
    room = by.subscribe(channel);
    room.on('message', deliver);
    room.on('lost', () => {
      recovery.value = 'lost';
      atGap();
    });
    room.on('subscribed', ({ recovered }) => {
      if (recovered && wasLive) recovery.value = { count: late };
      note();
      if (recovered === undefined) atBegin();
    });
    room.on('unsubscribed', ({ code, message }) => {
      if (code !== 0) atEnd(code, message);
    });
    const own = by.subscribe(`user:${session.state.me?.user_id ?? ''}`);
    own.on('message', (message) => {
      if (!message.deleted) atPersonal(message.action, textOf(fieldsOf(message.data).message));
    });
  }

  function deliver(message: Message): void {
    const isLate = link.value !== 'live';
    if (isLate && !message.deleted && lineOf(message)) late += 1;
    for (const listener of listeners) listener(message, { isLate });
  }

  /** Says how it stands, whatever changed. */
  function note(): void {
    if (client?.state === 'connected' && room?.state === 'subscribed') {
      wasLive = true;
      late = 0;
      link.value = 'live';
    } else if (client?.state === 'disconnected' || !navigator.onLine) {
      link.value = 'offline';
    } else {
      link.value = wasLive ? 'recovering' : 'connecting';
    }
  }

  function close(): void {
    client?.disconnect();
    client = null;
    room = null;
  }

  async function history(): Promise<Message[]> {
    if (!client) return [];
    const { epoch, publications } = await client.history(channel, { limit: HISTORY });
    return publications.map((publication) => messageOf(channel, epoch, publication));
  }

  async function publish(action: string, data: unknown): Promise<void> {
    await client?.publish(channel, action, data);
  }

  return {
    link: readonly(link),
    recovery,
    open,
    close,
    history,
    publish,
    /** Calls `listener` at each message. */
    listen: (listener: Listener) => void listeners.add(listener),
    /** When the channel is followed for the first time: nothing from then on is missed. */
    onBegin: (act: () => void) => void (atBegin = act),
    /** When messages may be missing. */
    onGap: (act: () => void) => void (atGap = act),
    /** When the server ended it. */
    onEnd: (act: (code: number, reason: string) => void) => void (atEnd = act),
    /** What is said to the visitor alone. */
    onPersonal: (act: (action: string, text: string) => void) => void (atPersonal = act),
  };
}

export type Channel = ReturnType<typeof useChannel>;
