/** Messages that glide over the video. */

import { ref } from 'vue';
import { GLIDE_MS, Lanes } from '../logic/lanes';
import type { TextLine } from '../logic/lines';

export interface Glide {
  readonly key: string;
  readonly text: string;
  readonly from: string;
  readonly lane: number;
}

/** More at once nobody can read. */
const MOST = 60;

export const LANES = 6;

/** About how much of the stage's width a character takes. */
const CHARACTER = 0.022;

const KEY = 'liveloom.barrage';

export function useBarrage() {
  const lanes = new Lanes(LANES);
  const glides = ref<Glide[]>([]);
  const isShown = ref(localStorage.getItem(KEY) !== 'off');

  function add({ key, text, from }: TextLine): void {
    if (!isShown.value || document.visibilityState === 'hidden' || glides.value.length >= MOST) return;
    const lane = lanes.take(performance.now(), [...text].length * CHARACTER);
    glides.value.push({ key, text, from, lane });
    // A message whose animation never ran, as in a stage that is not shown, goes all the same.
    setTimeout(() => remove(key), GLIDE_MS + 2_000);
  }

  function remove(key: string): void {
    glides.value = glides.value.filter((glide) => glide.key !== key);
  }

  function toggle(): void {
    isShown.value = !isShown.value;
    glides.value = [];
    localStorage.setItem(KEY, isShown.value ? 'on' : 'off');
  }

  return { glides, isShown, add, remove, toggle };
}
