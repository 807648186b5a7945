import { Backoff } from "./backoff.js";
import { type Closed, Connection } from "./connection.js";
import { Credentials } from "./credentials.js";
import { Emitter } from "./emitter.js";
import { endpoint, type Environment, environment, type WebSocketConstructor, webSocket } from "./environment.js";
import { DisconnectedError, type ProtocolError, type RealtimeError, type TokenError } from "./errors.js";
import { type ClientOptions, type Settings, settings } from "./options.js";
import {
  CloseCode,
  type Hello,
  type HistoryResult,
  isPermanent,
  type Position,
  type PresenceResult,
  type PublishResult,
} from "./protocol.js";
import type { Subscription } from "./subscription.js";
import { Subscriptions } from "./subscriptions.js";
import { TokenRefresh } from "./token-refresh.js";

/** How much longer than the server's own pings silence may last. */
const PING_GRACE_MS = 10_000;

/** A connection that held this long ends a row of failures; a server may also refuse after the hello. */
const STABLE_MS = 10_000;

/** `waiting`: for the next attempt. `disconnected`: before `connect`, and after the end. */
export type ClientState = "disconnected" | "connecting" | "connected" | "waiting";

/** A connection, or an attempt to get one, ended. */
export interface Disconnected extends Closed {
  /** When the client tries again; null when it does not, until `connect` is called. */
  readonly retryInMs: number | null;
}

/** What a {@link Client} tells. */
export interface ClientEvents {
  /** Each change of {@link Client.state}. */
  state: ClientState;
  connected: Hello;
  disconnected: Disconnected;
  /** Something failed that the client tries again by itself. */
  error: RealtimeError | ProtocolError | TokenError;
}

/** Which part of a channel's history. */
export interface HistoryOptions {
  /** What came after this place; otherwise the latest. */
  readonly since?: Position;
  /** 1 to 200; 50 unless told. */
  readonly limit?: number;
}

/** A user's connection to the realtime server, which comes back by itself until it is told to end. */
export class Client extends Emitter<ClientEvents> {
  readonly #url: string;
  readonly #settings: Settings;
  readonly #environment: Environment;
  readonly #WebSocket: WebSocketConstructor;
  readonly #credentials: Credentials;
  readonly #backoff: Backoff;
  readonly #subscriptions: Subscriptions;
  readonly #refresh: TokenRefresh;
  #state: ClientState = "disconnected";
  #connection: Connection | null = null;
  /** While connecting the limit of that, while waiting the next attempt. */
  #timer: unknown;
  /** Tells the present attempt from those that were given up. */
  #attempt = 0;
  #connectedAt = 0;

  /** Connects only when {@link connect} is called. Throws `TypeError` for a wrong address or without a WebSocket. */
  constructor(options: ClientOptions) {
    super();
    this.#url = endpoint(options.url);
    this.#settings = settings(options);
    this.#environment = environment(options.environment);
    this.#WebSocket = webSocket(options.WebSocket);
    const { clock, random } = this.#environment;
    this.#credentials = new Credentials(options.token, clock);
    this.#backoff = new Backoff(this.#settings.backoff, random);
    this.#subscriptions = new Subscriptions(this.#environment, this.#settings.backoff, this.publish.bind(this));
    this.#refresh = new TokenRefresh(this.#credentials, clock, (error) => this.emit("error", error));
  }

  /** Whether there is a connection. */
  get state(): ClientState {
    return this.#state;
  }

  /** Connects, and from then on comes back after each loss. Does nothing when that is under way. */
  connect(): void {
    if (this.#state !== "disconnected") return;
    this.#environment.network?.addEventListener("online", this.#online);
    this.#environment.network?.addEventListener("offline", this.#offline);
    this.#backoff.reset();
    this.#open();
  }

  /** Ends the connection. Subscriptions keep their places, and go on from there after `connect`. */
  disconnect(): void {
    if (this.#state === "disconnected") return;
    this.#connection?.close();
    this.#clear();
    this.#stop({ code: CloseCode.Normal, reason: "closed by the client" });
  }

  /** Waits for a connection; fails when the client stops, which it does at a permanent refusal. */
  ready(): Promise<void> {
    if (this.#state === "connected") return Promise.resolve();
    return new Promise((resolve, reject) => {
      const offs = [
        this.on("connected", () => {
          offs.forEach((off) => off());
          resolve();
        }),
        this.on("disconnected", ({ code, reason, retryInMs }) => {
          if (retryInMs !== null) return;
          offs.forEach((off) => off());
          reject(new DisconnectedError("not-sent", reason || `closed with code ${code}`));
        }),
      ];
    });
  }

  /**
   * Follows a channel, with or without a connection yet: from now on, or from the place `since` that
   * an earlier subscription had. There is one subscription per channel; it is returned again.
   */
  subscribe(channel: string, options: { readonly since?: Position } = {}): Subscription {
    return this.#subscriptions.open(channel, options.since ?? null);
  }

  /**
   * Publishes once: never again by itself. `action` is 1 to 64 of `A-Za-z0-9_-`, `data` any JSON, both
   * together at most 4,096 bytes. When it fails, the error's `outcome` says whether it may have arrived.
   */
  publish(channel: string, action: string, data: unknown): Promise<PublishResult> {
    return this.#request("publish", { channel, action, data });
  }

  /** Messages of a channel that are kept, oldest first. */
  history(channel: string, options: HistoryOptions = {}): Promise<HistoryResult> {
    const { since, ...rest } = options;
    return this.#request("history", { channel, ...since, ...rest });
  }

  /** Who is in a room. */
  presence(channel: string): Promise<PresenceResult> {
    return this.#request("presence", { channel });
  }

  #request<Result>(method: string, params: object): Promise<Result> {
    if (this.#state !== "connected" || !this.#connection) return Promise.reject(new DisconnectedError("not-sent"));
    return this.#connection.request<Result>(method, params);
  }

  #open(): void {
    const attempt = ++this.#attempt;
    this.#limitConnecting();
    this.#setState("connecting");
    this.#credentials.current().then(
      (token) => {
        if (attempt === this.#attempt) this.#dial(token);
      },
      (error: TokenError) => {
        if (attempt !== this.#attempt) return;
        this.#lost({ code: CloseCode.NoToken, reason: error.message });
        this.emit("error", error);
      },
    );
  }

  #limitConnecting(): void {
    const { clock } = this.#environment;
    clock.cancel(this.#timer);
    this.#timer = clock.after(this.#settings.connectTimeoutMs, () => {
      const closed = { code: CloseCode.ConnectTimeout, reason: "no connection in time" };
      if (this.#connection) this.#connection.abandon(closed);
      else this.#lost(closed);
    });
  }

  #dial(token: string): void {
    this.#limitConnecting();
    const options = { clock: this.#environment.clock, timeoutMs: this.#settings.requestTimeoutMs };
    try {
      const connection = new Connection(this.#WebSocket, this.#url, options, {
        opened: () => this.#introduce(connection, token),
        pushed: (push) => this.#subscriptions.receive(push),
        closed: (closed) => this.#lost(closed),
        failed: (error) => this.emit("error", error),
      });
      this.#connection = connection;
    } catch (error) {
      // A browser refuses, for example, ws: from a page over https:.
      this.#lost({ code: CloseCode.Abnormal, reason: String(error) });
    }
  }

  /** The token goes in a message: addresses end up in logs. */
  #introduce(connection: Connection, token: string): void {
    connection.call("connect", { token }, (error, result) => {
      if (connection !== this.#connection) return;
      if (!error) this.#welcome(connection, result as Hello);
      // After a refusal the server closes with the code that says more.
      else if (!(error instanceof DisconnectedError)) this.emit("error", error as RealtimeError);
    });
  }

  #welcome(connection: Connection, hello: Hello): void {
    const { clock } = this.#environment;
    clock.cancel(this.#timer);
    this.#connectedAt = clock.now();
    connection.watch(hello.ping_s * 1_000 + PING_GRACE_MS);
    this.#refresh.start(connection, hello.expires_at);
    this.#setState("connected");
    // A listener may have ended it.
    if (connection !== this.#connection) return;
    this.#subscriptions.start(connection);
    this.emit("connected", hello);
  }

  #lost(closed: Closed): void {
    const wasConnected = this.#state === "connected";
    this.#clear();
    if (wasConnected && this.#environment.clock.now() - this.#connectedAt >= STABLE_MS) this.#backoff.reset();
    const isTokenOver = closed.code === CloseCode.TokenExpired;
    if (isTokenOver) this.#credentials.expire();
    if (isPermanent(closed.code) || (isTokenOver && !this.#credentials.isRenewable)) this.#stop(closed);
    else this.#retry(closed);
  }

  #retry(closed: Closed): void {
    const isShutdown = closed.code === CloseCode.ShuttingDown;
    const retryInMs = this.#backoff.next(isShutdown ? this.#settings.shutdownWindowMs : 0);
    this.#timer = this.#environment.clock.after(retryInMs, () => this.#open());
    const attempt = this.#attempt;
    this.#setState("waiting");
    // A listener may have ended it.
    if (attempt === this.#attempt) this.emit("disconnected", { ...closed, retryInMs });
  }

  #stop(closed: Closed): void {
    this.#environment.network?.removeEventListener("online", this.#online);
    this.#environment.network?.removeEventListener("offline", this.#offline);
    this.#setState("disconnected");
    this.emit("disconnected", { ...closed, retryInMs: null });
  }

  #clear(): void {
    this.#attempt += 1;
    this.#connection = null;
    this.#environment.clock.cancel(this.#timer);
    this.#refresh.stop();
    this.#subscriptions.stop();
  }

  /** The machine has a network again: what was waited for may be there. */
  readonly #online = (): void => {
    if (this.#state === "waiting") {
      this.#backoff.reset();
      this.#environment.clock.cancel(this.#timer);
      this.#open();
    } else if (this.#state === "connected") {
      this.#connection?.probe();
    }
  };

  /** The connection may yet hold: a server on the same machine needs no network. */
  readonly #offline = (): void => {
    if (this.#state === "connected") this.#connection?.probe();
  };

  #setState(state: ClientState): void {
    this.#state = state;
    this.emit("state", state);
  }
}
