import type { Page } from '../../shared/http';
import { admin, type Wanted } from './admin';

export type CallbackState = 'pending' | 'failed' | 'delivered';

export interface Callback {
  webhook_id: string;
  live_id: string;
  seq: number;
  kind: string;
  state: CallbackState;
  attempts: number;
  next_at: number | null;
  last_error: string | null;
  event_at: number;
  updated_at: number;
}

/** What has not been told yet. */
export interface Waiting {
  rooms: number;
  events: number;
}

export const listCallbacks = (query: Wanted & { state: string; live_id: string }, signal: AbortSignal) =>
  admin<Page<Callback>>('GET', '/callback/list', { query, signal });

export const readWaiting = (signal: AbortSignal) => admin<Waiting>('GET', '/callback/waiting', { signal });

export const retryCallback = (webhookId: string) =>
  admin<{ retried: number }>('POST', '/callback/retry', { body: { webhook_id: webhookId } });

export const retryAllFailed = () =>
  admin<{ retried: number }>('POST', '/callback/retry', { body: { all_failed: true } });
