/** What an anchor types to publish. */

/** `text` as one word of a POSIX shell. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Publishes a file, over and over. */
export const publishFile = (url: string): string =>
  `ffmpeg -re -stream_loop -1 -i video.mp4 -c copy -f flv ${shellWord(url)}`;

/** Publishes a moving test picture with a tone. */
export const publishTestPicture = (url: string): string =>
  'ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440 ' +
  `-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -c:a aac -f flv ${shellWord(url)}`;
