/** Plays a room's stream as soon as there is one: HTTP-FLV first, then HLS, and over again. */

import { onScopeDispose, readonly, ref, type ShallowRef, watch } from 'vue';
import { playFlv, playHls, type Playing } from '../logic/players';

export interface Sources {
  readonly flv: string;
  readonly hls: string;
}

/** A player that shows nothing for so long has no stream. */
const PATIENCE_MS = 9_000;

/** From one round to the next; it grows while there is no stream. */
const PAUSE_MS = 3_000;
const MOST_PAUSE_MS = 30_000;

export function usePlayer(video: Readonly<ShallowRef<HTMLVideoElement | null>>, sources: () => Sources) {
  const isPlaying = ref(false);
  let turn = 0;
  let playing: Playing | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pauseMs = PAUSE_MS;

  function stop(): void {
    turn += 1;
    clearTimeout(timer);
    playing?.stop();
    playing = null;
    isPlaying.value = false;
  }

  /** Tries the players from the `index`th on. */
  async function attempt(index: number): Promise<void> {
    stop();
    const mine = turn;
    const element = video.value;
    const { flv, hls } = sources();
    const ways = [
      { play: playFlv, url: flv },
      { play: playHls, url: hls },
    ].filter(({ url }) => url);
    const way = ways[index];
    if (!element) return;
    if (!way) return rest();
    const broken = () => {
      if (mine === turn) void attempt(isPlaying.value ? 0 : index + 1);
    };
    timer = setTimeout(broken, PATIENCE_MS);
    const started = await way.play(element, way.url, broken).catch(() => null);
    if (mine !== turn) started?.stop();
    else if (started) playing = started;
    else broken();
  }

  function rest(): void {
    timer = setTimeout(() => void attempt(0), pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, MOST_PAUSE_MS);
  }

  /** The video shows its first picture. */
  function shows(): void {
    clearTimeout(timer);
    pauseMs = PAUSE_MS;
    isPlaying.value = true;
  }

  watch([video, () => sources().flv, () => sources().hls], () => void attempt(0), { flush: 'post' });
  onScopeDispose(stop);

  return { isPlaying: readonly(isPlaying), shows };
}
