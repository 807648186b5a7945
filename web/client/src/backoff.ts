/** Waiting times between attempts, in milliseconds. */
export interface BackoffOptions {
  /** The first window; each failure doubles it. */
  readonly baseMs: number;
  /** The largest window. */
  readonly maxMs: number;
}

/**
 * Exponential back-off with full jitter: a random time within a window that doubles, so that the
 * clients of a failed server do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** How long to wait now, after one more failure, within a window of at least `leastWindowMs`. */
  next(leastWindowMs = 0): number {
    const { baseMs, maxMs } = this.#options;
    const window = Math.min(maxMs, baseMs * 2 ** this.#failures);
    this.#failures += 1;
    return Math.floor(this.#random() * Math.max(window, leastWindowMs));
  }

  /** Begins anew, after a success. */
  reset(): void {
    this.#failures = 0;
  }
}
