/** One answer of the server that a page shows. */

import { onUnmounted, reactive, ref, shallowRef } from 'vue';

export interface Loaded<T> {
  /** The last answer. */
  data: T | undefined;
  readonly isLoading: boolean;
  /** Why the last call failed. */
  readonly error: unknown;
  reload(): Promise<void>;
}

/** Calls `fetch` now and on every `reload`. */
export function useLoad<T>(fetch: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const data = shallowRef<T>();
  const isLoading = ref(false);
  const error = shallowRef<unknown>(null);
  let running: AbortController | undefined;

  async function reload() {
    running?.abort();
    const mine = (running = new AbortController());
    isLoading.value = true;
    error.value = null;
    try {
      const answer = await fetch(mine.signal);
      if (!mine.signal.aborted) data.value = answer;
    } catch (failure) {
      if (!mine.signal.aborted) error.value = failure;
    } finally {
      if (running === mine) isLoading.value = false;
    }
  }

  void reload();
  onUnmounted(() => running?.abort());
  return reactive({ data, isLoading, error, reload }) as Loaded<T>;
}
