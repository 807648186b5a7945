/** What the screen and its owner are like. */

import { onScopeDispose, ref, type Ref } from 'vue';

function matching(query: string): Ref<boolean> {
  const media = matchMedia(query);
  const is = ref(media.matches);
  const note = () => (is.value = media.matches);
  media.addEventListener('change', note);
  onScopeDispose(() => media.removeEventListener('change', note));
  return is;
}

export function useMedia() {
  return {
    /** Whether there is no room for two columns. */
    isNarrow: matching('(max-width: 899px)'),
    /** Whether movement is unwelcome. */
    isStill: matching('(prefers-reduced-motion: reduce)'),
  };
}
