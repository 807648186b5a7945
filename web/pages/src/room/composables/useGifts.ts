/** Gifts: what there is, sending one, and what became of it. */

import { onScopeDispose, ref } from 'vue';
import { ApiError } from '../../shared/http';
import { gifts } from '../api';
import { randomId } from '../logic/format';
import type { GiftType } from '../logic/types';
import type { RoomVisit } from './useRoom';

/** `waiting`: the payment is not known yet. `lost`: no answer; to be sent again under the same key. */
export type Outcome = 'sending' | 'paid' | 'waiting' | 'refused' | 'lost';

export interface Sent {
  /** The gift's Idempotency-Key: a gift that is sent again with it is paid once. */
  readonly key: string;
  readonly gift: GiftType;
  readonly amount: number;
  outcome: Outcome;
  /** The words of the payment service, when it refused. */
  reason: string;
}

const ASK_MS = 3_000;

/** The code of a gift whose outcome is not known, or whose payment failed. */
const NOT_PAID = 20002;

export function useGifts({ state }: RoomVisit) {
  const types = ref<GiftType[]>([]);
  const isLoaded = ref(false);
  const last = ref<Sent | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    types.value = (await gifts.types()) ?? [];
    isLoaded.value = true;
  }

  /** Sends a gift for `amount`. */
  async function send(gift: GiftType, amount: number): Promise<void> {
    last.value = { key: randomId(), gift, amount, outcome: 'sending', reason: '' };
    await attempt();
  }

  /** Sends the last one, again under its key. */
  async function attempt(): Promise<void> {
    clearTimeout(timer);
    const sent = last.value;
    if (!sent) return;
    sent.outcome = 'sending';
    try {
      settle(sent, (await gifts.send(state.liveId, sent.gift.gift_id, sent.amount, sent.key)).status);
    } catch (error) {
      fail(sent, error);
    }
  }

  function settle(sent: Sent, status: number): void {
    sent.outcome = status === 1 ? 'paid' : status === 2 ? 'refused' : 'waiting';
  }

  function fail(sent: Sent, error: unknown): void {
    const refused = error instanceof ApiError ? error : null;
    const { biz_id, status } = (refused?.data ?? {}) as { biz_id?: string; status?: number };
    if (biz_id && status === 0) {
      sent.outcome = 'waiting';
      ask(sent, biz_id);
    } else if (!refused || refused.status === 0 || refused.status >= 500) {
      sent.outcome = 'lost';
    } else {
      sent.outcome = 'refused';
      sent.reason = refused.code === NOT_PAID ? '' : refused.message;
    }
  }

  /** The server itself goes on asking the payment service. */
  function ask(sent: Sent, bizId: string): void {
    timer = setTimeout(async () => {
      const found = await gifts.find(bizId).catch(() => null);
      if (last.value?.key !== sent.key) return;
      settle(sent, found?.status ?? 0);
      if (sent.outcome === 'waiting') ask(sent, bizId);
    }, ASK_MS);
  }

  const nameOf = (giftId: number): GiftType | undefined => types.value.find((gift) => gift.gift_id === giftId);

  onScopeDispose(() => clearTimeout(timer));
  return { types, isLoaded, last, load, send, attempt, nameOf };
}

export type Gifts = ReturnType<typeof useGifts>;
