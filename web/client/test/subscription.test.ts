import assert from "node:assert/strict";
import { test } from "node:test";

import { Bed } from "./fakes.js";
import { ROOM, accept, at, kept, record, subscribed } from "./room.js";

test("one that was made before the connection begins with it", async () => {
  const bed = new Bed();
  const room = bed.client.subscribe(ROOM);
  const told = record(room);
  assert.equal(room.state, "idle");
  const socket = await bed.connect();
  assert.equal(room.state, "subscribing");
  assert.deepEqual(accept(socket), { channel: ROOM });
  assert.equal(room.state, "subscribed");
  assert.deepEqual(told, [["subscribed", undefined]]);
  assert.equal(bed.client.subscribe(ROOM), room);
});

test("unsubscribe ends it, even in the midst of a recovery", async () => {
  const { bed, room, told } = await subscribed();
  room.on("message", ({ offset }) => offset === 7 && room.unsubscribe());
  const next = await bed.reconnect();
  accept(next, { ...at(9), recovered: true, publications: kept(6, 7, 8, 9) });
  next.take("unsubscribe");
  next.publish(ROOM, 10);
  assert.deepEqual(told, [6, 7, ["unsubscribed", 0]]);
  assert.equal(room.state, "ended");
  room.unsubscribe();
  const third = await bed.reconnect();
  assert.deepEqual(third.requests, []);
});

test("when the server ends it, it does not come back", async () => {
  const { bed, socket, room, told } = await subscribed();
  socket.receive({ push: { channel: ROOM, unsubscribed: { code: 403, message: "banned" } } });
  assert.deepEqual(told, [["unsubscribed", 403]]);
  assert.equal(room.state, "ended");
  const next = await bed.reconnect();
  assert.deepEqual(next.requests, []);
  assert.notEqual(bed.client.subscribe(ROOM), room, "another may be tried");
});

test("a refusal for good ends it", async () => {
  for (const code of [400, 401, 403, 404, 413]) {
    const bed = new Bed();
    const socket = await bed.connect();
    const told = record(bed.client.subscribe(ROOM));
    socket.refuse(socket.take("subscribe"), code);
    assert.deepEqual(told, [["unsubscribed", code]]);
    await bed.clock.advance(20_000);
    assert.deepEqual(socket.requests, []);
  }
});

test("a failure that may pass is tried again", async () => {
  for (const code of [499, 500, 503]) {
    const bed = new Bed();
    const socket = await bed.connect();
    const told = record(bed.client.subscribe(ROOM));
    socket.refuse(socket.take("subscribe"), code, { retry_after_ms: 700 });
    assert.deepEqual(told, [`refused with ${code}`]);
    await bed.clock.advance(699);
    assert.deepEqual(socket.requests, []);
    await bed.clock.advance(1);
    socket.take("unsubscribe");
    accept(socket);
    assert.deepEqual(told.at(-1), ["subscribed", undefined]);
  }
});

test("an answer that does not come is asked for again on the same connection", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const told = record(bed.client.subscribe(ROOM));
  const late = socket.take("subscribe");
  await bed.clock.advance(10_000);
  socket.answer(late, { channel: ROOM, ...at(5) });
  socket.publish(ROOM, 6);
  assert.deepEqual(told, ["no answer to subscribe within 10000 ms"]);
  await bed.clock.advance(250);
  socket.take("unsubscribe");
  accept(socket, at(6));
  socket.publish(ROOM, 7);
  assert.deepEqual(told.slice(1), [["subscribed", undefined], 7]);
});

test("a hundred subscriptions come back without running into the server's limit again and again", async () => {
  const bed = new Bed();
  for (let room = 0; room < 100; room++) bed.client.subscribe(`room:${room}`);
  const socket = await bed.connect();
  let allowed = 60;
  let refused = 0;
  const channels = new Set<unknown>();
  for (let step = 0; step < 100; step++) {
    for (let request = socket.requests.shift(); request; request = socket.requests.shift()) {
      if (request.method !== "subscribe") continue;
      if (allowed-- > 0) {
        channels.add(request.params["channel"]);
        socket.answer(request, { channel: request.params["channel"], ...at(0) });
      } else {
        refused += 1;
        socket.refuse(request, 429, { retry_after_ms: 50 });
      }
    }
    // 20 a second.
    await bed.clock.advance(50);
    allowed = Math.max(allowed, 0) + 1;
  }
  assert.equal(channels.size, 100);
  assert.ok(refused <= 40, `${refused} were refused`);
});

test("many are not sent all at once", async () => {
  const bed = new Bed();
  for (let room = 0; room < 20; room++) bed.client.subscribe(`room:${room}`);
  const socket = await bed.connect();
  assert.equal(socket.requests.length, 8);
  accept(socket);
  assert.equal(socket.requests.length, 8);
});

test("what a subscription publishes goes to its channel", async () => {
  const { socket, room } = await subscribed();
  const published = room.publish("chat", { text: "hi" });
  const request = socket.take("publish");
  assert.deepEqual(request.params, { channel: ROOM, action: "chat", data: { text: "hi" } });
  socket.answer(request, { offset: 6 });
  assert.deepEqual(await published, { offset: 6 });
});

test("pushes of channels that nobody follows are ignored", async () => {
  const { bed, socket, told } = await subscribed();
  socket.publish("room:2", 1);
  socket.receive({ push: { channel: "room:2", unsubscribed: { code: 403, message: "" } } });
  socket.receive({ push: { connected: {} } });
  assert.deepEqual(told, []);
  assert.equal(bed.client.state, "connected");
});
