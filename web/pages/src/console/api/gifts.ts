import { segment, type Page } from '../../shared/http';
import { admin, type Wanted } from './admin';

export interface GiftType {
  gift_id: number;
  type: number;
  name: string;
  /** 0: the sender chooses. */
  amount: number;
  img: string;
  animation_type: number;
  animation_img: string;
  order: number;
  extends: Record<string, string> | null;
}

/** The largest price. */
export const MAX_AMOUNT = 1_000_000;

export const listGiftTypes = (signal: AbortSignal) => admin<GiftType[]>('GET', '/gift/config', { signal });
export const saveGiftType = (body: GiftType) => admin('POST', '/gift/config', { body });
export const deleteGiftType = (giftId: number) => admin('DELETE', `/gift/config/${giftId}`);

export type GiftStatus = 'waiting' | 'paid' | 'refused';

export interface Gift {
  biz_id: string;
  gift_id: number;
  gift_name: string;
  amount: number;
  user_id: string;
  anchor_id: string;
  live_id: string;
  status: GiftStatus;
  /** How often the payment service was asked. */
  asks: number;
  /** Whether it will be asked again. */
  is_scheduled: boolean;
  /** What the payment service said against the outcome. */
  flag: string | null;
  created_at: number;
  updated_at: number;
  refund: { operator: string; reason: string; at: number } | null;
}

export interface GiftFilters extends Record<string, string> {
  status: string;
  flagged: string;
  live_id: string;
  user_id: string;
  anchor_id: string;
}

export const listGifts = (query: Wanted & GiftFilters, signal: AbortSignal) =>
  admin<Page<Gift>>('GET', '/gift/list', { query, signal });

export type Verdict = 'paid' | 'refused';

export const resolveGift = (bizId: string, verdict: Verdict, reason: string) =>
  admin<Gift>('POST', `/gift/${segment(bizId)}/resolve`, { body: { verdict, reason } });

export const refundGift = (bizId: string, reason: string) =>
  admin<Gift>('POST', `/gift/${segment(bizId)}/refund`, { body: { reason } });
