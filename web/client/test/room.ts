/** A subscription on fakes, and a record of what it told. */
import type { Position, Subscription } from "../src/index.js";
import { Bed, type FakeSocket } from "./fakes.js";

export const ROOM = "room:1";
/** The epoch of a channel, unless a test says otherwise. */
const EPOCH = "00000000000000aa";
/** A place in the channel. */
export const at = (offset: number, epoch = EPOCH): Position => ({ epoch, offset });
/** Messages as a history holds them. */
export const kept = (...offsets: number[]): object[] =>
  offsets.map((offset) => ({ offset, pub: { from: "u", action: "chat", data: offset, ts: offset } }));

/** What a subscription told, in order: offsets of messages, and the other events by name. */
export function record(subscription: Subscription): unknown[] {
  const told: unknown[] = [];
  subscription.on("message", ({ offset }) => told.push(offset));
  subscription.on("subscribed", ({ recovered }) => told.push(["subscribed", recovered]));
  subscription.on("lost", ({ position, during }) => told.push(["lost", during, position]));
  subscription.on("unsubscribed", ({ code }) => told.push(["unsubscribed", code]));
  subscription.on("error", (error) => told.push(error.message));
  return told;
}

/** Answers `subscribe`, at offset 5 unless told otherwise; returns what was asked. */
export function accept(socket: FakeSocket, more: object = {}): Record<string, unknown> {
  const request = socket.take("subscribe");
  socket.answer(request, { channel: request.params["channel"], ...at(5), ...more });
  return request.params;
}

/** A client whose subscription stands at offset 5. */
export async function subscribed(): Promise<{ bed: Bed; socket: FakeSocket; room: Subscription; told: unknown[] }> {
  const bed = new Bed();
  const socket = await bed.connect();
  const room = bed.client.subscribe(ROOM);
  const told = record(room);
  accept(socket);
  told.length = 0;
  return { bed, socket, room, told };
}
