/** A paged list whose page, size and filters stand in the address. */

import { computed, reactive, ref, shallowRef, watch, onUnmounted } from 'vue';
import { useRoute, useRouter, type LocationQueryValue } from 'vue-router';
import type { Page } from '../../shared/http';
import type { Wanted } from '../api/admin';

/** What a list is narrowed to; '' is no filter. */
export type Filters = Record<string, string>;

export interface Paged<T, F extends Filters = Filters> {
  readonly rows: readonly T[];
  readonly total: number;
  readonly page: number;
  readonly size: number;
  readonly filters: Readonly<F>;
  readonly isLoading: boolean;
  /** Whether there has been an answer. */
  readonly isLoaded: boolean;
  /** Why the last call failed. */
  readonly error: unknown;
  reload(): Promise<void>;
  goTo(page: number): void;
  resize(size: number): void;
  narrow(filters: Partial<F>): void;
}

const SIZE = 20;
const MAX_SIZE = 200;

/**
 * Reads pages with `fetch` as the address says. `defaults` names the filters and their values while the address
 * has none; `prefix` tells several lists of one address apart.
 */
export function usePage<T, F extends Filters>(
  fetch: (wanted: Wanted & F, signal: AbortSignal) => Promise<Page<T>>,
  defaults: F,
  prefix = '',
): Paged<T, F> {
  const route = useRoute();
  const router = useRouter();
  const own = route.path;
  const named = (key: string) => (prefix ? `${prefix}.${key}` : key);
  const text = (value: LocationQueryValue | LocationQueryValue[] | undefined) =>
    typeof value === 'string' ? value : undefined;
  const number = (key: string, fallback: number, max: number) => {
    const value = Number(text(route.query[named(key)]));
    return Number.isInteger(value) && value >= 1 ? Math.min(value, max) : fallback;
  };

  const page = computed(() => number('page', 1, Number.MAX_SAFE_INTEGER));
  const size = computed(() => number('size', SIZE, MAX_SIZE));
  const filters = computed(() => {
    const found = Object.entries(defaults).map(([key, value]) => [key, text(route.query[named(key)]) ?? value]);
    return Object.fromEntries(found) as F;
  });

  const rows = shallowRef<readonly T[]>([]);
  const total = ref(0);
  const isLoading = ref(false);
  const isLoaded = ref(false);
  const error = shallowRef<unknown>(null);
  let running: AbortController | undefined;

  async function reload() {
    running?.abort();
    const mine = (running = new AbortController());
    isLoading.value = true;
    error.value = null;
    try {
      const wanted = { page_num: page.value, page_size: size.value, ...filters.value };
      const answer = await fetch(wanted, mine.signal);
      if (mine.signal.aborted) return;
      // The last row of the last page is gone.
      if (answer.list.length === 0 && page.value > 1) return goTo(Math.max(1, answer.page_total));
      rows.value = answer.list;
      total.value = answer.total_count;
      isLoaded.value = true;
    } catch (failure) {
      if (!mine.signal.aborted) error.value = failure;
    } finally {
      if (running === mine) isLoading.value = false;
    }
  }

  function change(values: Record<string, string | number>) {
    const query = { ...route.query };
    for (const [key, value] of Object.entries(values)) {
      const usual = key === 'page' ? 1 : key === 'size' ? SIZE : defaults[key];
      if (value === usual) delete query[named(key)];
      else query[named(key)] = String(value);
    }
    void router.push({ query });
  }

  const goTo = (wanted: number) => change({ page: wanted });
  const resize = (wanted: number) => change({ page: 1, size: wanted });
  const narrow = (wanted: Partial<F>) => change({ page: 1, ...(wanted as Record<string, string>) });

  watch(
    () => JSON.stringify([page.value, size.value, filters.value]),
    // The address of another page has no meaning here.
    () => route.path === own && reload(),
    { immediate: true },
  );
  onUnmounted(() => running?.abort());

  return reactive({ rows, total, page, size, filters, isLoading, isLoaded, error, reload, goTo, resize, narrow }) as Paged<T, F>;
}
