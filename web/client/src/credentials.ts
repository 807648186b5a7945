import type { Clock } from "./environment.js";
import { TokenError } from "./errors.js";

/**
 * Fetches a client token of the application's own backend. Called before the first connection, a
 * minute before a token ends, and when the server says that it has ended. A failure is tried again
 * later; to give up, call `client.disconnect()`.
 */
export type TokenProvider = () => string | Promise<string>;

/** The token at hand, and where the next one comes from. */
export class Credentials {
  readonly #provider: TokenProvider | null;
  readonly #clock: Clock;
  #token: string | null;
  #endsAt = Infinity;

  constructor(token: string | TokenProvider, clock: Clock) {
    this.#provider = typeof token === "function" ? token : null;
    this.#token = typeof token === "string" ? token : null;
    this.#clock = clock;
  }

  /** Whether a token that ended can be replaced. */
  get isRenewable(): boolean {
    return this.#provider !== null;
  }

  /** The token at hand, or a new one when there is none or it has ended. */
  async current(): Promise<string> {
    const isUsable = this.#token !== null && (!this.#provider || this.#clock.now() < this.#endsAt);
    return isUsable && this.#token !== null ? this.#token : this.renew();
  }

  /** A new token. Throws {@link TokenError}. */
  async renew(): Promise<string> {
    try {
      if (!this.#provider) throw new Error("the token is fixed");
      const token = await this.#provider();
      if (typeof token !== "string" || token === "") throw new Error("the token provider returned none");
      this.#endsAt = Infinity;
      return (this.#token = token);
    } catch (error) {
      throw new TokenError(error);
    }
  }

  /** The server said when the token at hand ends, in Unix milliseconds. */
  endsAt(unixMs: number): void {
    this.#endsAt = unixMs;
  }

  /** The token at hand has ended. */
  expire(): void {
    if (this.#provider) this.#token = null;
  }
}
