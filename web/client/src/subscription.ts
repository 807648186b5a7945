import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { ProtocolError, type RealtimeError } from "./errors.js";
import type { ChannelPush, Position, Publication, PublishResult, SubscribeResult } from "./protocol.js";

/** A message that was published. */
export interface PublishedMessage extends Position {
  readonly channel: string;
  readonly deleted: false;
  /** The sender's user id; empty for the system. */
  readonly from: string;
  readonly action: string;
  readonly data: unknown;
  /** When, in Unix milliseconds, by the server. */
  readonly ts: number;
}

/** In place of a message that was taken away before it could be delivered. */
export interface DeletedMessage extends Position {
  readonly channel: string;
  readonly deleted: true;
  /** When it was published, in Unix milliseconds, by the server. */
  readonly ts: number;
}

/** A message of a channel, as it is delivered. */
export type Message = PublishedMessage | DeletedMessage;

/** Messages may have been missed. */
export interface Lost {
  /** Where it goes on. */
  readonly position: Position;
  /** `resume`: the history did not reach back far enough; `server`: the server lost them itself. */
  readonly during: "resume" | "server";
}

/** The subscription stands. */
export interface Subscribed {
  readonly position: Position;
  /** Undefined the first time; then whether nothing was missed since. */
  readonly recovered: boolean | undefined;
}

/** The subscription is over and does not come back. */
export interface Unsubscribed {
  /** As in the HTTP API; 0 when it was {@link Subscription.unsubscribe}. */
  readonly code: number;
  readonly message: string;
}

/** What a {@link Subscription} tells. */
export interface SubscriptionEvents {
  /** Each message of the channel, once and in order. */
  message: Message;
  subscribed: Subscribed;
  lost: Lost;
  unsubscribed: Unsubscribed;
  /** Something failed that the client tries again by itself. */
  error: RealtimeError | ProtocolError;
}

/** `idle`: without a connection, or waiting to be tried again. */
export type SubscriptionState = "idle" | "subscribing" | "subscribed" | "ended";

/** @internal What a subscription needs of the client. */
export interface SubscriptionOwner {
  publish(channel: string, action: string, data: unknown): Promise<PublishResult>;
  /** The application wants no more of it. */
  release(subscription: Subscription): void;
  /** The subscription must be made anew. */
  renew(subscription: Subscription): void;
}

/** How often the server may break the order at one place before the messages are given up as lost. */
const MOST_FAULTS = 3;

/**
 * A channel that is followed over all connections of a client, from `client.subscribe`. Listeners
 * that are added in the same turn miss nothing.
 */
export class Subscription extends Emitter<SubscriptionEvents> {
  /** `room:<live_id>` or `user:<user_id>`. */
  readonly channel: string;
  readonly #owner: SubscriptionOwner;
  #state: SubscriptionState = "idle";
  #position: Position | null;
  /** Broken orders since the last message that was in order. */
  #faults = 0;
  /** Whether the server may hold a subscription of this connection that is of no use. */
  #isStale = false;
  /** Tells answers to the present request from late ones. */
  #attempt = 0;

  /** @internal */
  constructor(channel: string, since: Position | null, owner: SubscriptionOwner) {
    super();
    this.channel = channel;
    this.#position = since;
    this.#owner = owner;
  }

  /** Where it stands. */
  get state(): SubscriptionState {
    return this.#state;
  }

  /** Behind the last message delivered: what `since` takes to go on from here, even after a restart. */
  get position(): Position | null {
    return this.#position;
  }

  /** Publishes to the channel; see `Client.publish`. */
  publish(action: string, data: unknown): Promise<PublishResult> {
    return this.#owner.publish(this.channel, action, data);
  }

  /** Ends the subscription; no message is delivered any more. */
  unsubscribe(): void {
    if (this.#state === "ended") return;
    this.#owner.release(this);
    this.end({ code: 0, message: "unsubscribed" });
  }

  /** @internal Whether the order at this place was broken before, so that haste helps nobody. */
  get isFaulty(): boolean {
    return this.#faults > 1;
  }

  /** @internal Asks the server; `answered` gets the error, if it failed and this is still wanted. */
  request(connection: Connection, answered: (error: Error | null) => void): void {
    const attempt = ++this.#attempt;
    const position = this.#position;
    this.#state = "subscribing";
    // To subscribe twice would bring neither what was missed nor the right place in the order.
    if (this.#isStale) connection.call("unsubscribe", { channel: this.channel }, () => undefined);
    this.#isStale = true;
    connection.call("subscribe", { channel: this.channel, ...position }, (error, result) => {
      if (attempt !== this.#attempt) {
        answered(null);
        return;
      }
      if (error) this.#state = "idle";
      answered(error);
      if (!error) this.#begin(position, result as SubscribeResult);
    });
  }

  /** @internal The connection is gone. */
  interrupt(): void {
    this.#attempt += 1;
    this.#isStale = false;
    if (this.#state !== "ended") this.#state = "idle";
  }

  /** @internal */
  end(why: Unsubscribed): void {
    if (this.#state === "ended") return;
    this.#attempt += 1;
    this.#state = "ended";
    this.emit("unsubscribed", why);
  }

  /** @internal */
  receive(push: ChannelPush): void {
    // What comes before the answer to `subscribe` belongs to an older subscription.
    if (this.#state !== "subscribed" || push.offset === undefined) return;
    if (push.lost) this.#skip(push);
    else if (push.pub) this.#take(push.epoch, { offset: push.offset, pub: push.pub });
  }

  #begin(since: Position | null, result: SubscribeResult): void {
    this.#state = "subscribed";
    if (!since) {
      this.#position = { epoch: result.epoch, offset: result.offset };
      this.emit("subscribed", { position: this.#position, recovered: undefined });
    } else if (result.recovered === false || this.#faults >= MOST_FAULTS) {
      this.#restart(result);
    } else {
      this.#recover(result);
    }
  }

  #restart(result: SubscribeResult): void {
    const position = { epoch: result.epoch, offset: result.offset };
    this.#position = position;
    this.#faults = 0;
    this.emit("lost", { position, during: "resume" });
    if (this.#state === "subscribed") this.emit("subscribed", { position, recovered: false });
  }

  #recover(result: SubscribeResult): void {
    for (const publication of result.publications ?? []) this.#take(result.epoch, publication);
    if (this.#state !== "subscribed") return;
    const position = this.#position;
    if (position?.epoch !== result.epoch || position.offset !== result.offset) {
      this.#fault(`recovery ended at ${position?.offset ?? 0} of ${result.offset}`);
      return;
    }
    this.emit("subscribed", { position, recovered: true });
  }

  /** Delivers a message if it is the next one. */
  #take(epoch: string | undefined, { offset, pub }: Publication): void {
    const position = this.#position;
    if (this.#state !== "subscribed" || !position) return;
    if (epoch !== undefined && epoch !== position.epoch) {
      this.#fault(`another epoch without notice: ${epoch}`);
    } else if (offset > position.offset + 1) {
      this.#fault(`message ${offset} came after ${position.offset}`);
    } else if (offset === position.offset + 1) {
      this.#faults = 0;
      this.#position = { epoch: position.epoch, offset };
      this.emit("message", message(this.channel, this.#position, pub));
    }
  }

  #skip(push: ChannelPush): void {
    const before = this.#position;
    const epoch = push.epoch ?? before?.epoch ?? "";
    // What was delivered stays delivered, even if the server counts from an earlier place.
    const delivered = before?.epoch === epoch ? before.offset : 0;
    this.#position = { epoch, offset: Math.max(push.offset ?? 0, delivered) };
    this.emit("lost", { position: this.#position, during: "server" });
  }

  #fault(what: string): void {
    this.#faults += 1;
    this.#attempt += 1;
    this.#state = "idle";
    this.#owner.renew(this);
    this.emit("error", new ProtocolError(`${this.channel}: ${what}`));
  }
}

function message(channel: string, position: Position, pub: Publication["pub"]): Message {
  const place = { channel, ...position, ts: pub.ts };
  if (pub.deleted) return { ...place, deleted: true };
  return { ...place, deleted: false, from: pub.from, action: pub.action, data: pub.data };
}
