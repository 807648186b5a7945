import assert from "node:assert/strict";
import { test } from "node:test";

import { DisconnectedError, RequestError, TimeoutError } from "../src/index.js";
import { Bed, settled } from "./fakes.js";

test("answers find their requests in any order", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const first = bed.client.publish("room:1", "chat", "one");
  const second = bed.client.publish("room:1", "chat", { two: 2 });
  const [one, two] = [socket.take("publish"), socket.take("publish")];
  assert.deepEqual(two.params, { channel: "room:1", action: "chat", data: { two: 2 } });
  socket.answer(two, { offset: 2 });
  socket.answer(one, { offset: 1 });
  assert.deepEqual([await first, await second], [{ offset: 1 }, { offset: 2 }]);
});

test("history and presence are asked for as the protocol has it", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const history = bed.client.history("room:1", { since: { epoch: "e", offset: 3 }, limit: 10 });
  const request = socket.take("history");
  assert.deepEqual(request.params, { channel: "room:1", epoch: "e", offset: 3, limit: 10 });
  const answer = { epoch: "e", offset: 3, publications: [], complete: true };
  socket.answer(request, answer);
  assert.deepEqual(await history, answer);
  const presence = bed.client.presence("room:1");
  socket.answer(socket.take("presence"), { online_count: 0, users: [] });
  assert.deepEqual(await presence, { online_count: 0, users: [] });
});

test("a refusal carries its code and when to try again", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const published = bed.client.publish("room:1", "chat", "x");
  socket.refuse(socket.take("publish"), 429, { retry_after_ms: 1_500 });
  const error = await published.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RequestError);
  assert.deepEqual([error.code, error.retryAfterMs, error.outcome], [429, 1_500, "refused"]);
});

test("a request without an answer fails after its time, and the late answer is ignored", async () => {
  const bed = new Bed({ requestTimeoutMs: 3_000 });
  const socket = await bed.connect();
  const published = bed.client.publish("room:1", "chat", "x").catch((thrown: unknown) => thrown);
  await bed.clock.advance(3_000);
  const error = await published;
  assert.ok(error instanceof TimeoutError);
  assert.equal(error.outcome, "unknown");
  socket.answer(socket.take("publish"), { offset: 1 });
  assert.equal(bed.client.state, "connected");
});

test("a cut fails what is under way, and it is never sent again", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const published = bed.client.publish("room:1", "chat", "x").catch((thrown: unknown) => thrown);
  socket.end(1006);
  const error = await published;
  assert.ok(error instanceof DisconnectedError);
  assert.equal(error.outcome, "unknown");
  await bed.clock.advance(500);
  const next = await bed.welcome();
  await bed.clock.advance(5_000);
  assert.deepEqual(next.requests, []);
});

test("without a connection a request fails at once, and says that it was not sent", async () => {
  const bed = new Bed();
  const attempt = (): Promise<unknown> => bed.client.publish("room:1", "chat", "x").catch((thrown: unknown) => thrown);
  const errors = [await attempt()];
  bed.client.connect();
  await settled();
  errors.push(await attempt());
  bed.socket.open();
  errors.push(await attempt());
  bed.socket.end(1006);
  errors.push(await attempt());
  for (const error of errors) {
    assert.ok(error instanceof DisconnectedError);
    assert.equal(error.outcome, "not-sent");
  }
});

test("a socket that is closing takes no request", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  socket.readyState = 2;
  await assert.rejects(bed.client.publish("room:1", "chat", "x"), { name: "DisconnectedError", outcome: "not-sent" });
});

test("data that is no JSON fails before it is sent", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  const timers = bed.clock.pending;
  await assert.rejects(bed.client.publish("room:1", "chat", 1n), TypeError);
  assert.deepEqual(socket.requests, []);
  assert.equal(bed.clock.pending, timers);
});

test("a listener that throws stops neither the others nor the client", async (context) => {
  const bed = new Bed();
  const thrown: (() => void)[] = [];
  context.mock.method(globalThis, "queueMicrotask", (callback: () => void) => thrown.push(callback));
  const heard: string[] = [];
  bed.client.on("connected", () => {
    throw new Error("a mistake");
  });
  bed.client.once("connected", () => heard.push("other"));
  await bed.connect();
  assert.deepEqual(heard, ["other"]);
  assert.equal(thrown.length, 1);
  assert.throws(() => thrown[0]?.(), /a mistake/);
  await bed.reconnect();
  assert.deepEqual(heard, ["other"], "once is once");
});
