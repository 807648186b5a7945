import assert from "node:assert/strict";
import { test } from "node:test";

import type { Position } from "../src/index.js";
import { Bed, type FakeSocket, type Request } from "./fakes.js";

const ROOM = "room:1";
const HISTORY = 6;

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A channel of a server that keeps the last messages, loses what it sends to a socket that is cut, and
 * forgets some.
 */
class Channel {
  epoch = 1;
  offset = 0;
  #isSubscribed = false;

  publish(socket: FakeSocket | null, isForgotten = false): void {
    this.offset += 1;
    if (socket && this.#isSubscribed && !isForgotten) socket.publish(ROOM, this.offset, { epoch: String(this.epoch) });
  }

  /** Another master: offsets begin anew. */
  failOver(): void {
    this.epoch += 1;
    this.offset = 0;
  }

  cut(): void {
    this.#isSubscribed = false;
  }

  serve(socket: FakeSocket, request: Request): void {
    if (request.method === "unsubscribe") this.#isSubscribed = false;
    if (request.method !== "subscribe") return socket.answer(request, {});
    const since = request.params as Partial<Position>;
    const position = { channel: ROOM, epoch: String(this.epoch), offset: this.offset };
    this.#isSubscribed = true;
    if (since.offset === undefined) return socket.answer(request, position);
    const isKept = since.epoch === position.epoch && this.offset - since.offset <= HISTORY;
    if (!isKept) return socket.answer(request, { ...position, recovered: false });
    const publications = [];
    for (let offset = since.offset + 1; offset <= this.offset; offset++) {
      publications.push({ offset, pub: { from: "u", action: "chat", data: null, ts: 0 } });
    }
    return socket.answer(request, { ...position, recovered: true, publications });
  }
}

/** Follows what is delivered: everything in order, once, unless a loss was told. */
class Witness {
  delivered = 0;
  losses = 0;
  #expected: Position | null = null;

  begin(position: Position): void {
    this.#expected ??= position;
  }

  lost(position: Position): void {
    this.losses += 1;
    this.#expected = position;
  }

  see({ epoch, offset }: Position): void {
    this.delivered += 1;
    assert.deepEqual({ epoch, offset }, { epoch: this.#expected?.epoch, offset: (this.#expected?.offset ?? 0) + 1 });
    this.#expected = { epoch, offset };
  }
}

/** One random life of a subscription over many connections. */
async function live(seed: number): Promise<Witness> {
  const random = numbers(seed);
  const bed = new Bed();
  const channel = new Channel();
  const witness = new Witness();
  const room = bed.client.subscribe(ROOM);
  room.on("subscribed", ({ position }) => witness.begin(position));
  room.on("lost", ({ position }) => witness.lost(position));
  room.on("message", (message) => witness.see(message));
  let socket: FakeSocket | null = await bed.connect();
  for (let step = 0; step < 300; step++) {
    const dice = random();
    if (dice < 0.55) {
      channel.publish(socket, random() < 0.03);
    } else if (dice < 0.93) {
      const request = socket?.requests.shift();
      if (socket && request) channel.serve(socket, request);
    } else if (dice < 0.98 && socket) {
      channel.cut();
      socket.end(1006);
      socket = null;
    } else if (dice > 0.985 && !socket) {
      channel.failOver();
    }
    if (!socket && random() < 0.3) {
      socket = await bed.comeBack();
    }
  }
  socket ??= await bed.comeBack();
  for (let round = 0; round < 5; round++) {
    for (let request = socket.requests.shift(); request; request = socket.requests.shift()) {
      channel.serve(socket, request);
    }
    // What was forgotten shows with the next message; a place that is broken often waits a while.
    channel.publish(socket);
    await bed.clock.advance(4_000);
  }
  const end: Position = { epoch: String(channel.epoch), offset: channel.offset };
  assert.deepEqual(room.position, end, "it caught up");
  return witness;
}

test("over random cuts, losses and fail-overs every message comes once and in order, or its loss is told", async () => {
  let delivered = 0;
  let losses = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const witness = await live(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    delivered += witness.delivered;
    losses += witness.losses;
  }
  assert.ok(delivered > 5_000 && losses > 100, `${delivered} delivered, ${losses} losses: too little happened`);
});
