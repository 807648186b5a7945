import type { Connection } from "./connection.js";
import type { Credentials } from "./credentials.js";
import type { Clock } from "./environment.js";
import { DisconnectedError, type RealtimeError, type TokenError } from "./errors.js";
import type { RefreshResult } from "./protocol.js";

/** How long before its end a token is replaced. */
const LEAD_MS = 60_000;

/** The least time between two refreshes, however short-lived the tokens are. */
const LEAST_MS = 10_000;

/** The longest timer that is set; runtimes fire one of more than 24 days at once. */
const MOST_MS = 24 * 3_600_000;

/** Replaces the token of a connection before it ends. */
export class TokenRefresh {
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #failed: (error: RealtimeError | TokenError) => void;
  #connection: Connection | null = null;
  #timer: unknown;

  constructor(credentials: Credentials, clock: Clock, failed: (error: RealtimeError | TokenError) => void) {
    this.#credentials = credentials;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Watches over a connection whose token ends at `expiresAt`, in Unix seconds. */
  start(connection: Connection, expiresAt: number): void {
    this.#connection = connection;
    this.#schedule(expiresAt * 1_000);
  }

  /** The connection is gone. */
  stop(): void {
    this.#connection = null;
    this.#clock.cancel(this.#timer);
  }

  #schedule(endsAt: number): void {
    const leftMs = endsAt - this.#clock.now();
    // The server took the token: if it looks ended this clock is wrong, and the server will tell.
    this.#credentials.endsAt(leftMs > 0 ? endsAt : Infinity);
    if (leftMs <= 0 || !this.#credentials.isRenewable) return;
    const waitMs = leftMs - LEAD_MS;
    const isFar = waitMs > MOST_MS;
    this.#timer = this.#clock.after(isFar ? MOST_MS : Math.max(waitMs, LEAST_MS), () => {
      if (isFar) this.#schedule(endsAt);
      else void this.#replace(endsAt);
    });
  }

  async #replace(endsAt: number): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    let newEnd = endsAt;
    let failure: unknown;
    try {
      const token = await this.#credentials.renew();
      if (connection !== this.#connection) return;
      newEnd = (await connection.request<RefreshResult>("refresh", { token })).expires_at * 1_000;
    } catch (error) {
      failure = error;
    }
    if (connection !== this.#connection) return;
    this.#schedule(newEnd);
    if (failure && !(failure instanceof DisconnectedError)) this.#failed(failure as RealtimeError | TokenError);
  }
}
