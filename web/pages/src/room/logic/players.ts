/** Players of live streams, each loaded when it is needed first. */

/** A stream that plays. */
export interface Playing {
  stop(): void;
}

/** Starts to play; calls `broken` when it goes wrong, now or later. */
type Player = (video: HTMLVideoElement, url: string, broken: () => void) => Promise<Playing | null>;

/** HTTP-FLV: seconds behind the anchor. Null where the browser cannot. */
export const playFlv: Player = async (video, url, broken) => {
  const { default: mpegts } = await import('mpegts.js');
  if (!mpegts.isSupported()) return null;
  mpegts.LoggingControl.applyConfig({ enableAll: false });
  const player = mpegts.createPlayer(
    { type: 'flv', url, isLive: true },
    { enableStashBuffer: false, liveBufferLatencyChasing: true, lazyLoad: false },
  );
  player.on(mpegts.Events.ERROR, broken);
  player.on(mpegts.Events.LOADING_COMPLETE, broken);
  player.attachMediaElement(video);
  player.load();
  return { stop: () => (empty(video), player.destroy()) };
};

/** HLS: further behind, and everywhere. */
export const playHls: Player = async (video, url, broken) => {
  const { default: Hls, Events } = await import('hls.js');
  if (!Hls.isSupported()) return playNatively(video, url, broken);
  const player = new Hls({ liveSyncDurationCount: 2, manifestLoadPolicy: { default: FEW_RETRIES } });
  player.on(Events.ERROR, (_, { fatal }) => {
    if (fatal) broken();
  });
  player.loadSource(url);
  player.attachMedia(video);
  return { stop: () => (empty(video), player.destroy()) };
};

/** Where scripts may not feed a video, as on older iPhones, the browser plays HLS itself. */
function playNatively(video: HTMLVideoElement, url: string, broken: () => void): Playing | null {
  if (!video.canPlayType('application/vnd.apple.mpegurl')) return null;
  video.addEventListener('error', broken);
  video.src = url;
  return {
    stop: () => {
      video.removeEventListener('error', broken);
      empty(video);
    },
  };
}

/** A player that goes takes its source away, which the element must not be about to open then. */
function empty(video: HTMLVideoElement): void {
  video.removeAttribute('src');
  video.load();
}

/** The page tries again by itself, with the other player. */
const FEW_RETRIES = {
  maxTimeToFirstByteMs: 6_000,
  maxLoadTimeMs: 10_000,
  timeoutRetry: null,
  errorRetry: null,
};
