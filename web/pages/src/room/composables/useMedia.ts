/** What the screen and its owner are like. */

import { onScopeDispose, ref, type Ref } from 'vue';

function useMedia(query: string): Ref<boolean> {
  const media = matchMedia(query);
  const is = ref(media.matches);
  const note = () => (is.value = media.matches);
  media.addEventListener('change', note);
  onScopeDispose(() => media.removeEventListener('change', note));
  return is;
}

/** Whether there is no room for two columns. */
export const useIsNarrow = () => useMedia('(max-width: 899px)');

/** Whether movement is unwelcome. */
export const useIsStill = () => useMedia('(prefers-reduced-motion: reduce)');
