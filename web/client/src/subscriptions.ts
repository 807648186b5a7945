import { Backoff, type BackoffOptions } from "./backoff.js";
import type { Connection } from "./connection.js";
import type { Environment } from "./environment.js";
import { DisconnectedError, type RealtimeError, RequestError } from "./errors.js";
import type { ChannelPush, Position } from "./protocol.js";
import { Subscription, type SubscriptionOwner } from "./subscription.js";

/** How many subscribe requests wait for their answers at once. */
const MOST_IN_FLIGHT = 8;

/** How long all wait at least after one was refused for the rate: 20 are allowed a second. */
const LEAST_PAUSE_MS = 1_000;

/** Codes after which the same request may succeed later. 499: the token is about to be renewed. */
const PASSING_CODES = new Set([429, 499]);

interface Entry {
  readonly subscription: Subscription;
  readonly backoff: Backoff;
  timer: unknown;
}

/** All subscriptions of a client, and the queue in which they are made at each new connection. */
export class Subscriptions {
  readonly #environment: Environment;
  readonly #backoff: BackoffOptions;
  readonly #publish: SubscriptionOwner["publish"];
  readonly #entries = new Map<string, Entry>();
  #connection: Connection | null = null;
  #queue: Entry[] = [];
  #inFlight = 0;
  #pause: unknown;

  constructor(environment: Environment, backoff: BackoffOptions, publish: SubscriptionOwner["publish"]) {
    this.#environment = environment;
    this.#backoff = backoff;
    this.#publish = publish;
  }

  /** The subscription of `channel`, which begins now if there is none. */
  open(channel: string, since: Position | null): Subscription {
    const present = this.#entries.get(channel);
    if (present) return present.subscription;
    const subscription: Subscription = new Subscription(channel, since, {
      publish: this.#publish,
      release: () => this.#release(entry),
      renew: () => this.#renew(entry),
    });
    const entry: Entry = {
      subscription,
      backoff: new Backoff(this.#backoff, this.#environment.random),
      timer: undefined,
    };
    this.#entries.set(channel, entry);
    this.#enqueue(entry);
    return subscription;
  }

  /** Makes all of them on a connection that has said hello. */
  start(connection: Connection): void {
    this.#connection = connection;
    this.#queue = [...this.#entries.values()];
    this.#pump();
  }

  /** The connection is gone; positions stay. */
  stop(): void {
    this.#connection = null;
    this.#queue = [];
    this.#inFlight = 0;
    this.#resume();
    for (const { subscription, timer, backoff } of this.#entries.values()) {
      this.#environment.clock.cancel(timer);
      backoff.reset();
      subscription.interrupt();
    }
  }

  /** Hands a push to the subscription of its channel. */
  receive(push: ChannelPush): void {
    const entry = this.#entries.get(push.channel);
    if (!entry) return;
    if (push.unsubscribed) {
      // While another is on its way, this tells of the one before.
      if (entry.subscription.state === "subscribed") this.#drop(entry, push.unsubscribed);
    } else {
      entry.subscription.receive(push);
    }
  }

  #release(entry: Entry): void {
    this.#forget(entry);
    this.#connection?.call("unsubscribe", { channel: entry.subscription.channel }, () => undefined);
  }

  #drop(entry: Entry, why: { readonly code: number; readonly message: string }): void {
    this.#forget(entry);
    entry.subscription.end({ code: why.code, message: why.message });
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.subscription.channel);
    this.#queue = this.#queue.filter((queued) => queued !== entry);
    this.#environment.clock.cancel(entry.timer);
  }

  #renew(entry: Entry): void {
    if (entry.subscription.isFaulty) this.#retry(entry, entry.backoff.next());
    else this.#enqueue(entry);
  }

  #retry(entry: Entry, delayMs: number): void {
    this.#environment.clock.cancel(entry.timer);
    entry.timer = this.#environment.clock.after(delayMs, () => this.#enqueue(entry));
  }

  #enqueue(entry: Entry): void {
    if (!this.#connection) return;
    this.#queue.push(entry);
    this.#pump();
  }

  #pump(): void {
    while (this.#connection && this.#pause === undefined && this.#inFlight < MOST_IN_FLIGHT) {
      const entry = this.#queue.shift();
      if (!entry) return;
      const connection = this.#connection;
      this.#inFlight += 1;
      entry.subscription.request(connection, (error) => {
        // The next connection takes care of what an ended one left.
        if (connection !== this.#connection || error instanceof DisconnectedError) return;
        this.#inFlight -= 1;
        if (error) this.#failed(entry, error);
        else if (!entry.subscription.isFaulty) entry.backoff.reset();
        this.#pump();
      });
    }
  }

  #failed(entry: Entry, error: Error): void {
    if (error instanceof RequestError && error.code < 500 && !PASSING_CODES.has(error.code)) {
      this.#drop(entry, { code: error.code, message: error.message });
      return;
    }
    if (error instanceof RequestError && error.code === 429) {
      this.#queue.unshift(entry);
      this.#hold(Math.max(error.retryAfterMs ?? 0, LEAST_PAUSE_MS));
    } else {
      const asked = error instanceof RequestError ? (error.retryAfterMs ?? 0) : 0;
      this.#retry(entry, Math.max(asked, entry.backoff.next()));
    }
    entry.subscription.emit("error", error as RealtimeError);
  }

  #hold(delayMs: number): void {
    this.#resume();
    this.#pause = this.#environment.clock.after(delayMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  #resume(): void {
    this.#environment.clock.cancel(this.#pause);
    this.#pause = undefined;
  }
}
