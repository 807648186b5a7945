import type { BackoffOptions } from "./backoff.js";
import type { TokenProvider } from "./credentials.js";
import type { Environment, WebSocketConstructor } from "./environment.js";

/** How a {@link Client} connects. */
export interface ClientOptions {
  /** The server: `https://live.example.com` (its path is then `/realtime`), or the endpoint's whole address. */
  readonly url: string;
  /** A client token, or a function that fetches one. A fixed token cannot be renewed when it ends. */
  readonly token: string | TokenProvider;
  /** The WebSocket to use where the runtime has none, such as that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor;
  /** How long an answer may take. 10 s unless told. */
  readonly requestTimeoutMs?: number;
  /** How long fetching a token, and then connecting, may take. 10 s unless told. */
  readonly connectTimeoutMs?: number;
  /** Waiting before connecting again. 500 ms to 20 s unless told. */
  readonly backoff?: Partial<BackoffOptions>;
  /** The least window of that after the server said that it shuts down. 5 s unless told. */
  readonly shutdownWindowMs?: number;
  /** Time, chance and network, for tests. */
  readonly environment?: Partial<Environment>;
}

/** The same with everything that was not told. */
export interface Settings {
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly backoff: BackoffOptions;
  readonly shutdownWindowMs: number;
}

/** Completes `options`. */
export function settings(options: ClientOptions): Settings {
  return {
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    backoff: { baseMs: 500, maxMs: 20_000, ...options.backoff },
    shutdownWindowMs: options.shutdownWindowMs ?? 5_000,
  };
}
