import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, type Disconnected, TokenError } from "../src/index.js";
import { Bed, FakeSocket, settled } from "./fakes.js";

const retry = (bed: Bed): number | null => (bed.events.at(-1) as Disconnected).retryInMs;

test("it sends the token in the first message, never in the address", async () => {
  const bed = new Bed();
  const hellos: string[] = [];
  bed.client.on("connected", (hello) => hellos.push(hello.client));
  bed.client.connect();
  assert.equal(bed.client.state, "connecting");
  await settled();
  bed.socket.open();
  const request = bed.socket.take("connect");
  assert.deepEqual(request.params, { token: "a token" });
  assert.equal(bed.socket.url, "wss://live.example.com/realtime");
  bed.socket.answer(request, { client: "c1", user_id: "u", node_id: 1, ping_s: 25, expires_at: 0 });
  assert.equal(bed.client.state, "connected");
  assert.deepEqual(hellos, ["c1"]);
});

test("it refuses an address that is none and a runtime without a WebSocket", () => {
  const options = { token: "t", WebSocket: FakeSocket };
  assert.throws(() => new Client({ ...options, url: "ftp://live.example.com" }), TypeError);
  assert.throws(() => new Client({ ...options, url: "live" }), TypeError);
  const globals = globalThis as { WebSocket?: unknown };
  const own = globals.WebSocket;
  delete globals.WebSocket;
  try {
    assert.throws(() => new Client({ url: "wss://live.example.com", token: "t" }), /no WebSocket/);
  } finally {
    if (own) globals.WebSocket = own;
  }
});

test("it keeps the path and query of an endpoint", async () => {
  const bed = new Bed({ url: "http://127.0.0.1:8099/live/realtime?zone=1#here" });
  bed.client.connect();
  await settled();
  assert.equal(bed.socket.url, "ws://127.0.0.1:8099/live/realtime?zone=1");
});

test("it waits a random time within a window that doubles up to its limit", async () => {
  const bed = new Bed();
  bed.chance = 0.999_999;
  bed.client.connect();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    await settled();
    bed.socket.end(1006);
    waits.push(retry(bed));
    await bed.clock.advance(retry(bed) ?? 0);
  }
  assert.deepEqual(waits, [499, 999, 1_999, 3_999, 7_999, 15_999, 19_999, 19_999]);
  bed.chance = 0;
  bed.socket.end(1006);
  assert.equal(retry(bed), 0, "full jitter reaches down to nothing");
});

test("only a connection that held begins the row of windows anew", async () => {
  const bed = new Bed();
  await bed.connect();
  for (const expected of [250, 500, 1_000]) {
    bed.socket.end(3010);
    assert.equal(retry(bed), expected);
    await bed.clock.advance(expected);
    await bed.welcome();
  }
  await bed.clock.advance(10_000);
  bed.socket.end(3008);
  assert.equal(retry(bed), 250);
});

test("it takes a longer window when the server shuts down", async () => {
  const bed = new Bed();
  await bed.connect();
  bed.socket.end(3001, "shutting down");
  assert.deepEqual(bed.events.at(-1), { code: 3001, reason: "shutting down", retryInMs: 2_500 });
  await bed.clock.advance(2_499);
  assert.equal(bed.sockets.length, 1);
  await bed.clock.advance(1);
  assert.equal(bed.sockets.length, 2);
});

for (const code of [3500, 3501, 3502, 3503, 3999]) {
  test(`it stops at once at code ${code}`, async () => {
    const bed = new Bed();
    await bed.connect();
    bed.socket.end(code, "no");
    assert.deepEqual(bed.events.at(-1), { code, reason: "no", retryInMs: null });
    assert.equal(bed.client.state, "disconnected");
    assert.equal(bed.clock.pending, 0);
    assert.equal(bed.network.listeners, 0);
  });
}

test("it comes back after every other code", async () => {
  for (const code of [1000, 1001, 1006, 1011, 3000, 3008, 3009, 3010, 3499, 4000]) {
    const bed = new Bed();
    await bed.connect();
    bed.socket.end(code);
    assert.equal(bed.client.state, "waiting", String(code));
    await bed.clock.advance(500);
    assert.equal(bed.sockets.length, 2, String(code));
  }
});

test("it gives up a handshake and a hello that do not come", async () => {
  const bed = new Bed();
  bed.client.connect();
  await bed.clock.advance(10_000);
  assert.deepEqual(bed.socket.closedWith, { code: 4001, reason: "no connection in time" });
  assert.equal(bed.client.state, "waiting");
  await bed.clock.advance(500);
  bed.socket.open();
  await bed.clock.advance(10_000);
  assert.equal(bed.socket.closedWith?.code, 4001);
  await bed.clock.advance(500);
  await bed.welcome();
  assert.equal(bed.client.state, "connected");
});

test("a socket that was given up is not listened to", async () => {
  const bed = new Bed();
  bed.client.connect();
  await bed.clock.advance(10_000);
  const late = bed.socket;
  await bed.clock.advance(500);
  late.open();
  late.end(3500);
  assert.equal(bed.client.state, "connecting");
});

test("disconnect ends everything, and connect begins anew", async () => {
  const bed = new Bed();
  const socket = await bed.connect();
  bed.client.disconnect();
  assert.equal(socket.closedWith?.code, 1000);
  assert.equal(bed.client.state, "disconnected");
  assert.equal(bed.clock.pending, 0);
  assert.equal(bed.network.listeners, 0);
  await bed.connect();
  assert.equal(bed.client.state, "connected");
  bed.socket.end(1006);
  bed.client.disconnect();
  await bed.clock.advance(60_000);
  assert.equal(bed.sockets.length, 2, "no attempt after the end");
});

test("a listener may end the client in the midst of any event", async () => {
  for (const state of ["connecting", "connected", "waiting"] as const) {
    const bed = new Bed();
    bed.client.on("state", (now) => now === state && bed.client.disconnect());
    bed.client.connect();
    await settled();
    if (state !== "connecting") await bed.welcome();
    if (state === "waiting") bed.socket.end(1006);
    await bed.clock.advance(60_000);
    assert.equal(bed.client.state, "disconnected", state);
    assert.equal(bed.clock.pending, 0, state);
    assert.deepEqual(bed.events, [{ code: 1000, reason: "closed by the client", retryInMs: null }], state);
  }
});

test("ready waits through failed attempts, and fails when the client stops", async () => {
  const bed = new Bed();
  bed.client.connect();
  let isReady = false;
  const ready = bed.client.ready().then(() => (isReady = true));
  await settled();
  bed.socket.end(1006);
  await bed.clock.advance(500);
  assert.equal(isReady, false);
  await bed.welcome();
  await ready;
  await bed.client.ready();
  bed.socket.end(1006);
  const refused = assert.rejects(bed.client.ready(), /banned/);
  await bed.clock.advance(1_000);
  bed.socket.end(3501, "banned");
  await refused;
});

test("a frame that is not of the protocol ends the connection and is told", async () => {
  for (const frame of ["{", "7", "null"]) {
    const bed = new Bed();
    const socket = await bed.connect();
    socket.receive(frame);
    assert.equal(socket.closedWith?.code, 4002);
    assert.equal(bed.client.state, "waiting");
    assert.match(String(bed.events[0]), /ProtocolError/);
  }
});

test("a WebSocket that cannot be made is tried again", async () => {
  class Refusing extends FakeSocket {
    constructor(url: string) {
      super(url);
      throw new Error("insecure");
    }
  }
  const bed = new Bed({ WebSocket: Refusing });
  bed.client.connect();
  await settled();
  assert.deepEqual(bed.events, [{ code: 1006, reason: "Error: insecure", retryInMs: 250 }]);
});

test("a token provider that fails or hangs is asked again", async () => {
  const fails = (): Promise<string> => Promise.reject(new Error("backend is away"));
  const hangs = (): Promise<string> => new Promise(() => undefined);
  const answers = [fails, hangs, () => "t3"];
  const bed = new Bed({ token: () => answers.shift()?.() ?? "none" });
  bed.client.connect();
  await settled();
  assert.ok(bed.events[1] instanceof TokenError);
  assert.equal((bed.events[0] as Disconnected).code, 4003);
  await bed.clock.advance(250);
  await bed.clock.advance(10_000);
  assert.equal((bed.events[2] as Disconnected).code, 4001);
  assert.equal(bed.sockets.length, 0);
  await bed.clock.advance(500);
  bed.socket.open();
  assert.deepEqual(bed.socket.take("connect").params, { token: "t3" });
});
