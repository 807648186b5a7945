import assert from "node:assert/strict";
import { test } from "node:test";

import { Bed } from "./fakes.js";

const SILENCE_MS = 35_000;

test("it asks for a sign of life when nothing was heard for ten seconds more than the server's ping", async () => {
  const bed = new Bed();
  const socket = await bed.connect({ ping_s: 25 });
  await bed.clock.advance(SILENCE_MS - 1);
  assert.deepEqual(socket.requests, []);
  await bed.clock.advance(1);
  socket.answer(socket.take("ping"), {});
  await bed.clock.advance(SILENCE_MS - 1);
  assert.deepEqual(socket.requests, []);
  await bed.clock.advance(1);
  socket.take("ping");
});

test("whatever arrives is a sign of life", async () => {
  const bed = new Bed();
  const socket = await bed.connect({ ping_s: 25 });
  await bed.clock.advance(30_000);
  socket.publish("room:1", 1);
  await bed.clock.advance(30_000);
  assert.deepEqual(socket.requests, []);
  await bed.clock.advance(5_000);
  socket.take("ping");
  await bed.clock.advance(5_000);
  socket.publish("room:1", 2);
  await bed.clock.advance(5_000);
  assert.equal(bed.client.state, "connected", "a message came though the answer did not");
});

test("a server that does not answer is left without waiting for its farewell", async () => {
  const bed = new Bed();
  const socket = await bed.connect({ ping_s: 25 });
  await bed.clock.advance(SILENCE_MS + 9_999);
  assert.equal(bed.client.state, "connected");
  await bed.clock.advance(1);
  assert.equal(socket.closedWith?.code, 4000);
  assert.equal(bed.client.state, "waiting");
  await bed.clock.advance(500);
  assert.equal(bed.sockets.length, 2);
});

test("it comes back at once when the network does", async () => {
  const bed = new Bed();
  await bed.connect();
  for (let attempt = 0; attempt < 6; attempt++) {
    bed.socket.end(1006);
    await bed.clock.advance(8_000);
  }
  bed.socket.end(1006);
  const before = bed.sockets.length;
  bed.network.tell("online");
  await bed.welcome();
  assert.equal(bed.sockets.length, before + 1);
  await bed.clock.advance(20_000);
  assert.equal(bed.sockets.length, before + 1, "the attempt that was planned is not made as well");
});

test("a change of the network makes it look whether its connection holds", async () => {
  for (const change of ["offline", "online"] as const) {
    const bed = new Bed();
    const socket = await bed.connect();
    bed.network.tell(change);
    bed.network.tell(change);
    const ping = socket.take("ping");
    assert.deepEqual(socket.requests, [], "one question is enough");
    await bed.clock.advance(9_999);
    socket.answer(ping, {});
    await bed.clock.advance(1);
    assert.equal(bed.client.state, "connected");
    bed.network.tell(change);
    await bed.clock.advance(10_000);
    assert.equal(bed.client.state, "waiting");
  }
});
