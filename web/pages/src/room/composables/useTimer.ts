/** Work that is repeated while its component is shown, and while anybody looks at the page. */

import { onScopeDispose } from 'vue';

/** Runs `act` every `everyMs`, and never before the last one is through. */
export function useTimer(everyMs: number, act: () => Promise<void> | void): void {
  let timer: ReturnType<typeof setTimeout>;
  let isOver = false;
  const next = () => {
    timer = setTimeout(() => void run(), everyMs);
  };
  async function run(): Promise<void> {
    try {
      if (document.visibilityState === 'visible') await act();
    } finally {
      if (!isOver) next();
    }
  }
  next();
  onScopeDispose(() => {
    isOver = true;
    clearTimeout(timer);
  });
}
