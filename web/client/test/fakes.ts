/** A network, a clock and a server that do only what a test tells them. */
import assert from "node:assert/strict";

import {
  Client,
  type ClientOptions,
  type Clock,
  type Disconnected,
  type Hello,
  type WebSocketLike,
} from "../src/index.js";

/** Lets everything run that waits for nothing but its turn. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands until it is moved. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): unknown {
    assert.ok(delayMs >= 0 && delayMs < 2 ** 31, `runtimes fire a timer of ${delayMs} ms at once`);
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  cancel(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on, firing what is due in its order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.callback();
      await settled();
    }
    this.#now = end;
  }

  #next(end: number): Timer | undefined {
    const due = [...this.#timers].filter((timer) => timer.at <= end);
    return due.sort((one, other) => one.at - other.at)[0];
  }
}

/** A request as the server reads it. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** The client's end of a socket, with what the server's end can do to it. */
export class FakeSocket implements WebSocketLike {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  /** What the client closed it with. */
  closedWith: { readonly code: number | undefined; readonly reason: string | undefined } | null = null;
  /** What the client sent and the test has not taken. */
  readonly requests: Request[] = [];

  constructor(readonly url: string) {}

  send(text: string): void {
    assert.equal(this.readyState, 1, "sent on a socket that is not open");
    this.requests.push(JSON.parse(text) as Request);
  }

  close(code?: number, reason?: string): void {
    this.readyState = 2;
    this.closedWith = { code, reason };
  }

  /** The handshake succeeds. */
  open(): void {
    this.readyState = 1;
    this.onopen?.({} as never);
  }

  /** A frame arrives. */
  receive(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) } as never);
  }

  /** The next request, which must be `method`. */
  take(method: string): Request {
    const request = this.requests.shift();
    assert.equal(request?.method, method);
    return request as Request;
  }

  answer(request: Request, result: unknown): void {
    this.receive({ id: request.id, result });
  }

  refuse(request: Request, code: number, more: object = {}): void {
    this.receive({ id: request.id, error: { code, message: `refused with ${code}`, ...more } });
  }

  /** A message of a channel arrives. */
  publish(channel: string, offset: number, more: object = {}): void {
    const pub = { from: "u", action: "chat", data: offset, ts: offset };
    this.receive({ push: { channel, offset, pub, ...more } });
  }

  /** The server or the network ends it. */
  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

/** A machine's network going away and coming back. */
export class FakeNetwork {
  readonly #listeners = { online: new Set<() => void>(), offline: new Set<() => void>() };

  addEventListener(type: "online" | "offline", listener: () => void): void {
    this.#listeners[type].add(listener);
  }

  removeEventListener(type: "online" | "offline", listener: () => void): void {
    this.#listeners[type].delete(listener);
  }

  tell(type: "online" | "offline"): void {
    for (const listener of this.#listeners[type]) listener();
  }

  get listeners(): number {
    return this.#listeners.online.size + this.#listeners.offline.size;
  }
}

/** A client on fakes, and a record of what it told. */
export class Bed {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork();
  readonly sockets: FakeSocket[] = [];
  readonly client: Client;
  readonly events: unknown[] = [];
  /** What `random` returns. */
  chance = 0.5;

  constructor(options: Partial<ClientOptions> = {}) {
    const { sockets } = this;
    class WebSocket extends FakeSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    }
    this.client = new Client({
      url: "https://live.example.com",
      token: "a token",
      WebSocket,
      environment: { clock: this.clock, network: this.network, random: () => this.chance },
      ...options,
    });
    this.client.on("disconnected", (event) => this.events.push(event));
    this.client.on("error", (error) => this.events.push(error));
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    assert.ok(socket, "no socket was opened");
    return socket;
  }

  /** Opens the latest socket and answers `connect`. */
  async welcome(hello: Partial<Hello> = {}): Promise<FakeSocket> {
    await settled();
    this.socket.open();
    const expires_at = this.clock.now() / 1_000 + 3_600;
    const request = this.socket.take("connect");
    this.socket.answer(request, { client: "c", user_id: "u", node_id: 1, ping_s: 25, expires_at, ...hello });
    await settled();
    return this.socket;
  }

  /** A client that is connected. */
  async connect(hello: Partial<Hello> = {}): Promise<FakeSocket> {
    this.client.connect();
    return this.welcome(hello);
  }

  /** Cuts the connection, waits and connects again. */
  async reconnect(): Promise<FakeSocket> {
    this.socket.end(1006);
    return this.comeBack();
  }

  /** Lets a client that is waiting connect again. */
  async comeBack(): Promise<FakeSocket> {
    const last = this.events.filter((event) => !(event instanceof Error)).at(-1) as Disconnected;
    await this.clock.advance(last.retryInMs ?? 0);
    return this.welcome();
  }
}
