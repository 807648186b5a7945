import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { WebSocket, WebSocketServer } from "ws";

import { Client } from "../src/index.js";
import type { Request } from "./fakes.js";
import { CuttableClient } from "./sockets.js";

/** A server that greets everyone and does nothing else. */
async function greeter(): Promise<{ readonly url: string; readonly close: () => void; readonly tokens: unknown[] }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/realtime" });
  const tokens: unknown[] = [];
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const { id, params } = JSON.parse(String(data)) as Request;
      tokens.push(params["token"]);
      const expires_at = Date.now() / 1_000 + 3_600;
      socket.send(JSON.stringify({ id, result: { client: "c", user_id: "u", node_id: 1, ping_s: 25, expires_at } }));
    });
  });
  await once(server, "listening");
  const close = (): void => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close, tokens };
}

test("it takes the WebSocket of `ws` as it is", async () => {
  const server = await greeter();
  const client = new Client({ url: server.url, token: "t", WebSocket });
  client.connect();
  await client.ready();
  assert.deepEqual(server.tokens, ["t"]);
  client.disconnect();
  server.close();
});

test("it comes back over a real socket that was cut", async () => {
  const server = await greeter();
  const client = new CuttableClient(server.url, "t", { backoff: { baseMs: 1 } });
  client.connect();
  await client.ready();
  client.cut();
  const code = await new Promise((resolve) => client.once("disconnected", (event) => resolve(event.code)));
  assert.equal(code, 1006);
  await client.ready();
  assert.deepEqual(server.tokens, ["t", "t"]);
  client.disconnect();
  server.close();
});

test("a handshake that fails, or is given up, is no error of the program", async () => {
  const server = await greeter();
  server.close();
  const client = new CuttableClient(server.url, "t");
  client.connect();
  const { code } = await new Promise<{ code: number }>((resolve) => client.once("disconnected", resolve));
  assert.equal(code, 1006);
  client.disconnect();
  const impatient = new CuttableClient(server.url, "t");
  impatient.connect();
  await Promise.resolve();
  impatient.disconnect();
});
