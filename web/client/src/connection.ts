import type { Clock, WebSocketConstructor, WebSocketLike } from "./environment.js";
import { DisconnectedError, ProtocolError, RequestError, TimeoutError } from "./errors.js";
import { CloseCode, type ChannelPush, type ServerFrame } from "./protocol.js";

const OPEN = 1;

/** Why a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** Who is told what happens on a connection. */
export interface ConnectionObserver {
  opened(): void;
  pushed(push: ChannelPush): void;
  /** Called once, and last; never after {@link Connection.close}. */
  closed(closed: Closed): void;
  /** The server broke the protocol. */
  failed(error: ProtocolError): void;
}

/** How a request ended: exactly one of the two is given. */
export type Answered = (error: Error | null, result?: unknown) => void;

interface Pending {
  readonly answered: Answered;
  readonly timer: unknown;
}

/** One WebSocket: requests with their answers, pushes, and a watch over silence. */
export class Connection {
  readonly #socket: WebSocketLike;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #observer: ConnectionObserver;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isEnded = false;
  #heardAt = 0;
  #silenceMs = 0;
  #silenceTimer: unknown;
  #isProbing = false;

  constructor(
    WebSocket: WebSocketConstructor,
    url: string,
    options: { readonly clock: Clock; readonly timeoutMs: number },
    observer: ConnectionObserver,
  ) {
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#observer = observer;
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => observer.opened();
    this.#socket.onmessage = (event: { data: unknown }) => this.#receive(event.data);
    // What went wrong comes with `close`, as far as a runtime tells it at all.
    this.#socket.onerror = () => undefined;
    this.#socket.onclose = (event: Closed) => this.#end({ code: event.code, reason: event.reason });
  }

  /**
   * Sends a request and calls `answered` once. It is called while the answer's frame is handled,
   * before the next frame is looked at: a promise would be late for pushes in the same packet.
   */
  call(method: string, params: object, answered: Answered): void {
    if (this.#isEnded || this.#socket.readyState !== OPEN) {
      answered(new DisconnectedError("not-sent"));
      return;
    }
    const id = ++this.#lastId;
    const text = JSON.stringify({ id, method, params });
    const timer = this.#clock.after(this.#timeoutMs, () => {
      this.#pending.delete(id);
      answered(new TimeoutError(method, this.#timeoutMs));
    });
    this.#pending.set(id, { answered, timer });
    this.#socket.send(text);
  }

  /** As {@link call}, as a promise. */
  request<Result>(method: string, params: object): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.call(method, params, (error, result) => (error ? reject(error) : resolve(result as Result)));
    });
  }

  /** From now on, asks for a sign of life after `silenceMs` without one, and ends without an answer. */
  watch(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    this.#heardAt = this.#clock.now();
    this.#awaitSilence(silenceMs);
  }

  /** Asks for a sign of life at once, because something may have cut the line. */
  probe(): void {
    if (this.#isProbing || this.#isEnded) return;
    this.#isProbing = true;
    const askedAt = this.#clock.now();
    this.call("ping", {}, (error) => {
      this.#isProbing = false;
      // Whatever else was heard meanwhile is a sign of life as well.
      if (error instanceof TimeoutError && this.#heardAt <= askedAt) {
        this.abandon({ code: CloseCode.ServerSilent, reason: "the server is silent" });
      }
    });
  }

  /** Ends without waiting for the peer, which may be gone, and tells the observer. */
  abandon(closed: Closed): void {
    this.#release(closed.code, closed.reason);
    this.#end(closed);
  }

  /** Ends as the user wishes; the observer is told nothing more. */
  close(): void {
    if (this.#isEnded) return;
    this.#release(CloseCode.Normal, "");
    this.#settle("closed by the client");
  }

  #release(code: number, reason: string): void {
    const socket = this.#socket;
    // The error handler stays: `ws` reports a socket that is closed before it opened as an error.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code, reason);
  }

  #end(closed: Closed): void {
    if (this.#isEnded) return;
    this.#settle(closed.reason || `closed with code ${closed.code}`);
    this.#observer.closed(closed);
  }

  #settle(reason: string): void {
    this.#isEnded = true;
    this.#clock.cancel(this.#silenceTimer);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { answered, timer } of pending) {
      this.#clock.cancel(timer);
      answered(new DisconnectedError("unknown", reason));
    }
  }

  #awaitSilence(delayMs: number): void {
    if (this.#isEnded) return;
    this.#silenceTimer = this.#clock.after(delayMs, () => {
      const leftMs = this.#heardAt + this.#silenceMs - this.#clock.now();
      if (leftMs <= 0) this.probe();
      this.#awaitSilence(leftMs > 0 ? leftMs : this.#silenceMs);
    });
  }

  #receive(data: unknown): void {
    this.#heardAt = this.#clock.now();
    const frame = parse(data);
    if (!frame) {
      this.#observer.failed(new ProtocolError("the server sent a frame that is not of the protocol"));
      this.abandon({ code: CloseCode.BadFrame, reason: "bad frame" });
      return;
    }
    if (frame.push) {
      if (typeof frame.push.channel === "string") this.#observer.pushed(frame.push as ChannelPush);
    } else {
      this.#answer(frame);
    }
  }

  #answer(frame: ServerFrame): void {
    const pending = this.#pending.get(frame.id ?? 0);
    if (!pending) return; // it timed out before
    this.#pending.delete(frame.id ?? 0);
    this.#clock.cancel(pending.timer);
    if (frame.error) pending.answered(new RequestError(frame.error));
    else pending.answered(null, frame.result ?? {});
  }
}

function parse(data: unknown): ServerFrame | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === "object" && frame !== null ? frame : undefined;
  } catch {
    return undefined;
  }
}
