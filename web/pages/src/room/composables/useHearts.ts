/** Hearts that rise for likes. */

import { ref } from 'vue';

export interface Heart {
  readonly id: number;
  /** How far to the side it drifts, in pixels. */
  readonly drift: number;
  readonly hue: number;
  readonly delayMs: number;
}

const MOST = 30;
const MOST_OF_A_BURST = 8;
const RISE_MS = 2_200;

export function useHearts() {
  const hearts = ref<Heart[]>([]);
  let last = 0;

  function rise(count: number): void {
    const room = MOST - hearts.value.length;
    for (let index = 0; index < Math.min(count, MOST_OF_A_BURST, room); index += 1) {
      const id = ++last;
      const delayMs = index * 90;
      hearts.value.push({ id, drift: Math.round(Math.random() * 70 - 45), hue: 325 + Math.random() * 45, delayMs });
      setTimeout(() => {
        hearts.value = hearts.value.filter((heart) => heart.id !== id);
      }, RISE_MS + delayMs);
    }
  }

  return { hearts, rise };
}
