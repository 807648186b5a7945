/** Short messages to the visitor. */

import { readonly, ref } from 'vue';
import { ApiError } from '../../shared/http';
import { i18n } from '../messages';

export interface Toast {
  readonly id: number;
  readonly kind: 'good' | 'bad';
  readonly text: string;
  /** The server's name for the call that failed. */
  readonly requestId: string;
}

const SHOWN_MS = { good: 3_000, bad: 8_000 };

const toasts = ref<Toast[]>([]);
let last = 0;

function show(kind: Toast['kind'], text: string, requestId = ''): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, kind, text, requestId }];
  setTimeout(() => close(id), SHOWN_MS[kind]);
}

function close(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** What went wrong, in words. */
export function wordsOf(error: unknown): string {
  const { t } = i18n.global;
  if (error instanceof ApiError) return error.status === 0 ? t('error.unreachable') : error.message;
  return error instanceof Error ? error.message : String(error);
}

export function useToasts() {
  return {
    toasts: readonly(toasts),
    close,
    succeeded: (text: string) => show('good', text),
    failed: (error: unknown) => show('bad', wordsOf(error), error instanceof ApiError ? error.requestId : ''),
    refused: (text: string) => show('bad', text),
  };
}
