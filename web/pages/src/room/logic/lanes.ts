/** In which lane a barrage message glides, so that none covers another. */

/** How long a message takes from one edge to the other. */
export const GLIDE_MS = 9_000;

/** Share of a message's way that is kept free behind it. */
const GAP = 0.04;

export class Lanes {
  /** When the last message of each lane has come in whole, in milliseconds. */
  readonly #freeAt: number[];

  constructor(lanes: number) {
    this.#freeAt = Array.from({ length: lanes }, () => 0);
  }

  /**
   * The lane for a message whose width is `share` of the stage; the one that is free first when all
   * are taken.
   */
  take(now: number, share: number): number {
    const free = this.#freeAt.findIndex((at) => at <= now);
    const lane = free >= 0 ? free : this.#freeAt.indexOf(Math.min(...this.#freeAt));
    this.#freeAt[lane] = now + (GLIDE_MS * (share + GAP)) / (1 + share);
    return lane;
  }
}
