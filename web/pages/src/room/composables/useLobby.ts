/** The list of rooms: by shelf, or by what was searched for. */

import { computed, ref, watch } from 'vue';
import { lobby, type Shelf } from '../api';
import type { Room } from '../logic/types';
import { useNames } from './useNames';
import { useTimer } from './useTimer';

const SIZE = 12;
const REFRESH_MS = 10_000;
/** Typing goes on for so long. */
const TYPING_MS = 250;

export function useLobby() {
  const { learn } = useNames();
  const shelf = ref<Shelf>('open');
  const keyword = ref('');
  const page = ref(1);
  const rooms = ref<Room[]>([]);
  const total = ref(0);
  const isLoading = ref(true);
  const error = ref<unknown>(null);
  const pages = computed(() => Math.max(1, Math.ceil(total.value / SIZE)));
  let asked = 0;
  let typing: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    const turn = ++asked;
    const wanted = keyword.value.trim();
    try {
      const found = await (wanted
        ? lobby.search(wanted, page.value, SIZE)
        : lobby.list(shelf.value, page.value, SIZE));
      // A later question was asked meanwhile.
      if (turn !== asked) return;
      learn(found.list.map((room) => room.anchor_info));
      rooms.value = found.list;
      total.value = found.total_count;
      error.value = null;
    } catch (failure) {
      if (turn === asked) error.value = failure;
    }
    if (turn === asked) isLoading.value = false;
  }

  function reload(): Promise<void> {
    isLoading.value = true;
    return load();
  }

  watch([shelf], () => {
    page.value = 1;
    void reload();
  });
  watch(page, () => void reload());
  watch(keyword, () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      page.value = 1;
      void reload();
    }, TYPING_MS);
  });
  useTimer(REFRESH_MS, load);
  void load();

  return { shelf, keyword, page, pages, rooms, total, isLoading, error, reload };
}
