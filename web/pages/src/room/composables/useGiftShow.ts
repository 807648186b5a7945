/** Gifts that are shown over the video, a few at a time. */

import { ref } from 'vue';
import type { GiftLine } from '../logic/lines';

const SHOWN_MS = 4_500;
const MOST = 3;

export function useGiftShow() {
  const shown = ref<GiftLine[]>([]);

  function add(line: GiftLine): void {
    shown.value = [...shown.value.slice(1 - MOST), line];
    setTimeout(() => {
      shown.value = shown.value.filter(({ key }) => key !== line.key);
    }, SHOWN_MS);
  }

  return { shown, add };
}
