/** The player of a room that has a stream: `LIVELOOM_ROOM`, from the media server `LIVELOOM_MEDIA`. */

import { expect, test } from '@playwright/test';
import { picture, watch } from './support';

test('a stream is played', async ({ page }, info) => {
  const complaints = watch(page);
  await page.goto(`/room/${process.env.LIVELOOM_ROOM}`);
  const playing = () =>
    page.locator('video').evaluate((video: HTMLVideoElement) => ({
      isDecoded: video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 5,
      seconds: video.currentTime,
    }));
  await expect.poll(async () => (await playing()).isDecoded, { timeout: 90_000 }).toBe(true);
  const { seconds } = await playing();
  await expect.poll(async () => (await playing()).seconds, { timeout: 60_000 }).toBeGreaterThan(seconds + 0.5);
  await picture(page, info, 'stream');
  // The media server is the one other host; the playlist is there only after some seconds of the stream.
  const media = process.env.LIVELOOM_MEDIA ?? '';
  complaints.none(new RegExp(`^other host: ${media}`), /status of 404/);
});
