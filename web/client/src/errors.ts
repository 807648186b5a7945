import type { ErrorBody } from "./protocol.js";

/** What became of a request that failed. */
export type Outcome =
  /** The server refused it, or it was never sent: it had no effect. */
  | "refused"
  | "not-sent"
  /** It was sent and no answer came: it may have had its effect. */
  | "unknown";

/** A request that failed; `outcome` says whether sending it again can double it. */
export abstract class RealtimeError extends Error {
  abstract readonly outcome: Outcome;
}

/** The server answered with an error. */
export class RequestError extends RealtimeError {
  override readonly name = "RequestError";
  readonly outcome = "refused";
  /** As in the HTTP API: 400, 401, 403, 404, 413, 429, 499, 500, 503. */
  readonly code: number;
  /** After how many milliseconds it may be tried again, where the server says so. */
  readonly retryAfterMs: number | undefined;

  constructor(body: ErrorBody) {
    super(body.message);
    this.code = body.code;
    this.retryAfterMs = body.retry_after_ms;
  }
}

/** No answer came in time. */
export class TimeoutError extends RealtimeError {
  override readonly name = "TimeoutError";
  readonly outcome = "unknown";

  constructor(method: string, timeoutMs: number) {
    super(`no answer to ${method} within ${timeoutMs} ms`);
  }
}

/** There was no connection, or it ended before the answer came. */
export class DisconnectedError extends RealtimeError {
  override readonly name = "DisconnectedError";
  readonly outcome: "not-sent" | "unknown";

  constructor(outcome: "not-sent" | "unknown", reason = "not connected") {
    super(reason);
    this.outcome = outcome;
  }
}

/** The server broke the protocol; the client recovers from it by itself. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** The token provider failed; the client asks it again later. */
export class TokenError extends Error {
  override readonly name = "TokenError";

  constructor(cause: unknown) {
    super(`no token: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
