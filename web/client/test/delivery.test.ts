import assert from "node:assert/strict";
import { test } from "node:test";

import type { Message } from "../src/index.js";
import { Bed } from "./fakes.js";
import { ROOM, accept, at, kept, record, subscribed } from "./room.js";

test("it delivers each message with its sender, action, data, time and place", async () => {
  const { socket, room } = await subscribed();
  const messages: Message[] = [];
  room.on("message", (message) => messages.push(message));
  socket.receive({ push: { channel: ROOM, offset: 6, pub: { from: "u", action: "chat", data: { a: 1 }, ts: 7 } } });
  socket.receive({ push: { channel: ROOM, offset: 7, pub: { deleted: true, ts: 8 } } });
  assert.deepEqual(messages, [
    { channel: ROOM, ...at(6), deleted: false, from: "u", action: "chat", data: { a: 1 }, ts: 7 },
    { channel: ROOM, ...at(7), deleted: true, ts: 8 },
  ]);
  assert.deepEqual(room.position, at(7));
});

test("messages in the same packet as the answer are delivered after it", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const told = record(bed.client.subscribe(ROOM, { since: at(3) }));
  const { id } = socket.take("subscribe");
  // No turn passes between the two frames, so no promise could be settled.
  socket.receive({ id, result: { channel: ROOM, ...at(5), recovered: true, publications: kept(4, 5) } });
  socket.publish(ROOM, 6);
  assert.deepEqual(told, [4, 5, ["subscribed", true], 6]);
});

test("after a cut it goes on behind the last message delivered", async () => {
  const { bed, socket, told } = await subscribed();
  socket.publish(ROOM, 6);
  const next = await bed.reconnect();
  const params = accept(next, { ...at(8), recovered: true, publications: kept(7, 8) });
  assert.deepEqual(params, { channel: ROOM, ...at(6) });
  next.publish(ROOM, 9);
  assert.deepEqual(told, [6, 7, 8, ["subscribed", true], 9]);
});

test("what arrives twice is delivered once", async () => {
  const { bed, socket, told } = await subscribed();
  for (const offset of [6, 6, 5, 7, 6]) socket.publish(ROOM, offset);
  const next = await bed.reconnect();
  accept(next, { ...at(8), recovered: true, publications: kept(6, 7, 8) });
  next.publish(ROOM, 8);
  assert.deepEqual(told, [6, 7, 8, ["subscribed", true]]);
});

test("a history that no longer reaches back is told, and it goes on from the new place", async () => {
  const { bed, told, room } = await subscribed();
  const next = await bed.reconnect();
  accept(next, { ...at(40, "bb"), recovered: false });
  next.publish(ROOM, 41);
  assert.deepEqual(told, [["lost", "resume", at(40, "bb")], ["subscribed", false], 41]);
  assert.deepEqual(room.position, at(41, "bb"));
});

test("what the server lost is told, and it goes on from there", async () => {
  const { socket, told } = await subscribed();
  socket.receive({ push: { channel: ROOM, ...at(9), lost: true } });
  socket.publish(ROOM, 10);
  socket.receive({ push: { channel: ROOM, ...at(0, "bb"), lost: true } });
  socket.publish(ROOM, 1);
  assert.deepEqual(told, [["lost", "server", at(9)], 10, ["lost", "server", at(0, "bb")], 1]);
});

test("a loss before what was delivered delivers nothing again", async () => {
  const { socket, told } = await subscribed();
  socket.publish(ROOM, 6);
  socket.receive({ push: { channel: ROOM, ...at(4), lost: true } });
  for (const offset of [5, 6, 7]) socket.publish(ROOM, offset);
  assert.deepEqual(told, [6, ["lost", "server", at(6)], 7]);
});

test("a gap that the server did not announce makes it subscribe anew, without losing anything", async () => {
  const { socket, told } = await subscribed();
  socket.publish(ROOM, 8);
  socket.publish(ROOM, 9);
  assert.deepEqual(socket.take("unsubscribe").params, { channel: ROOM });
  const params = accept(socket, { ...at(9), recovered: true, publications: kept(6, 7, 8, 9) });
  assert.deepEqual(params, { channel: ROOM, ...at(5) });
  socket.publish(ROOM, 10);
  assert.deepEqual(told, ["room:1: message 8 came after 5", 6, 7, 8, 9, ["subscribed", true], 10]);
});

test("an epoch that changes without notice makes it subscribe anew", async () => {
  const { socket, told } = await subscribed();
  socket.publish(ROOM, 6, { epoch: "bb" });
  socket.take("unsubscribe");
  accept(socket, { ...at(6, "bb"), recovered: false });
  assert.equal(told.shift(), "room:1: another epoch without notice: bb");
  assert.deepEqual(told, [["lost", "resume", at(6, "bb")], ["subscribed", false]]);
});

test("a gap that stays is given up as lost instead of asking for ever", async () => {
  const { bed, socket, told } = await subscribed();
  const holed = { ...at(8), recovered: true, publications: kept(6, 8) };
  socket.publish(ROOM, 8);
  socket.take("unsubscribe");
  accept(socket, holed);
  for (let fault = 0; fault < 2; fault++) {
    await bed.clock.advance(1_000);
    socket.take("unsubscribe");
    accept(socket, holed);
  }
  // Offset 6 was delivered in between, which began the count of faults anew.
  await bed.clock.advance(1_000);
  socket.take("unsubscribe");
  accept(socket, holed);
  const losses = told.filter((event) => Array.isArray(event));
  assert.deepEqual(losses, [["lost", "resume", at(8)], ["subscribed", false]]);
  assert.equal(told.filter((event) => event === 6).length, 1);
  socket.publish(ROOM, 9);
  assert.equal(told.at(-1), 9);
});

test("a recovery that ends too early is no recovery", async () => {
  const { bed, told } = await subscribed();
  const next = await bed.reconnect();
  accept(next, { ...at(8), recovered: true, publications: kept(6, 7) });
  next.take("unsubscribe");
  accept(next, { ...at(8), recovered: true, publications: kept(8) });
  assert.deepEqual(told, [6, 7, "room:1: recovery ended at 7 of 8", 8, ["subscribed", true]]);
});

test("messages of an older subscription are not taken for those of the new one", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  bed.client.subscribe(ROOM).unsubscribe();
  const told = record(bed.client.subscribe(ROOM));
  assert.deepEqual(socket.requests.map(({ method }) => method), ["subscribe", "unsubscribe", "subscribe"]);
  const [first, , second] = socket.requests.splice(0);
  assert.ok(first && second);
  socket.answer(first, { channel: ROOM, ...at(5) });
  socket.publish(ROOM, 6);
  socket.receive({ push: { channel: ROOM, unsubscribed: { code: 403, message: "left" } } });
  socket.answer(second, { channel: ROOM, ...at(6) });
  socket.publish(ROOM, 7);
  assert.deepEqual(told, [["subscribed", undefined], 7]);
});

test("disconnect in the midst of a recovery leaves the rest to the next one", async () => {
  const { bed, room, told } = await subscribed();
  const off = room.on("message", () => bed.client.disconnect());
  const next = await bed.reconnect();
  accept(next, { ...at(7), recovered: true, publications: kept(6, 7) });
  assert.deepEqual(told, [6]);
  off();
  const third = await bed.connect();
  const params = accept(third, { ...at(7), recovered: true, publications: kept(7) });
  assert.deepEqual(params, { channel: ROOM, ...at(6) });
  assert.deepEqual(told, [6, 7, ["subscribed", true]]);
});
