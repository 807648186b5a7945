import assert from "node:assert/strict";
import { test } from "node:test";

import { RequestError, TokenError } from "../src/index.js";
import { Bed, settled } from "./fakes.js";

const HOUR_S = 3_600;

function counted(): { readonly provider: () => string; readonly calls: () => number } {
  let calls = 0;
  return { provider: () => `token ${++calls}`, calls: () => calls };
}

test("it renews the token a minute before its end, on the same connection", async () => {
  const { provider } = counted();
  const bed = new Bed({ token: provider });
  const socket = await bed.connect({ ping_s: 10 * HOUR_S });
  await bed.clock.advance((HOUR_S - 60) * 1_000 - 1);
  assert.deepEqual(socket.requests, []);
  await bed.clock.advance(1);
  const request = socket.take("refresh");
  assert.deepEqual(request.params, { token: "token 2" });
  socket.answer(request, { expires_at: bed.clock.now() / 1_000 + HOUR_S });
  await bed.clock.advance((HOUR_S - 60) * 1_000);
  assert.deepEqual(socket.take("refresh").params, { token: "token 3" });
});

test("a connection later uses the token that was renewed", async () => {
  const { provider, calls } = counted();
  const bed = new Bed({ token: provider });
  const socket = await bed.connect({ ping_s: 10 * HOUR_S });
  await bed.clock.advance((HOUR_S - 60) * 1_000);
  socket.answer(socket.take("refresh"), { expires_at: bed.clock.now() / 1_000 + HOUR_S });
  await settled();
  socket.end(1006);
  await bed.clock.advance(500);
  bed.socket.open();
  assert.deepEqual(bed.socket.take("connect").params, { token: "token 2" });
  assert.equal(calls(), 2);
});

test("a renewal that fails is told and tried again", async () => {
  const answers = ["one", "", "two", "three"];
  const bed = new Bed({ token: () => answers.shift() ?? "none" });
  const socket = await bed.connect({ ping_s: 10 * HOUR_S });
  await bed.clock.advance((HOUR_S - 60) * 1_000);
  assert.ok(bed.events[0] instanceof TokenError);
  await bed.clock.advance(10_000);
  socket.refuse(socket.take("refresh"), 401);
  await settled();
  assert.ok(bed.events[1] instanceof RequestError);
  await bed.clock.advance(10_000);
  assert.deepEqual(socket.take("refresh").params, { token: "three" });
});

test("code 3005 fetches another token and comes back", async () => {
  const { provider } = counted();
  const bed = new Bed({ token: provider });
  await bed.connect();
  bed.socket.end(3005, "token expired");
  assert.equal(bed.client.state, "waiting");
  await bed.clock.advance(500);
  bed.socket.open();
  assert.deepEqual(bed.socket.take("connect").params, { token: "token 2" });
});

test("code 3005 stops a client whose token is fixed", async () => {
  const bed = new Bed();
  await bed.connect();
  bed.socket.end(3005, "token expired");
  assert.equal(bed.client.state, "disconnected");
  assert.deepEqual(bed.events, [{ code: 3005, reason: "token expired", retryInMs: null }]);
});

test("a token that ended while there was no connection is not sent", async () => {
  const { provider } = counted();
  const bed = new Bed({ token: provider, backoff: { baseMs: 20_000 } });
  await bed.connect({ expires_at: bed.clock.now() / 1_000 + 5 });
  bed.socket.end(1006);
  await bed.clock.advance(10_000);
  bed.socket.open();
  assert.deepEqual(bed.socket.take("connect").params, { token: "token 2" });
});

test("a clock that is wrong by years neither floods the provider nor the server", async () => {
  const { provider, calls } = counted();
  const bed = new Bed({ token: provider });
  const socket = await bed.connect({ expires_at: 1_000_000_000, ping_s: 10 * HOUR_S });
  await bed.clock.advance(HOUR_S * 1_000);
  assert.equal(calls(), 1);
  assert.deepEqual(socket.requests, []);
});

test("a token that lasts for months is not renewed early", async () => {
  const { provider, calls } = counted();
  const bed = new Bed({ token: provider });
  const day_s = 24 * HOUR_S;
  const socket = await bed.connect({ expires_at: bed.clock.now() / 1_000 + 60 * day_s, ping_s: 11 * day_s });
  for (let day = 0; day < 50; day += 10) {
    await bed.clock.advance(10 * day_s * 1_000);
    socket.publish("room:1", day);
  }
  await bed.clock.advance((10 * day_s - 61) * 1_000);
  assert.equal(calls(), 1);
  await bed.clock.advance(1_000);
  assert.equal(calls(), 2);
});
