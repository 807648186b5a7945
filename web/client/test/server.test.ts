/**
 * Against a real server: LIVELOOM_TEST_URL, LIVELOOM_TEST_TOKENS (of two users, with a comma between)
 * and LIVELOOM_TEST_ROOM (a live room that both are in).
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DisconnectedError, type Message, RequestError, type Subscription } from "../src/index.js";
import { CuttableClient } from "./sockets.js";

const url = process.env["LIVELOOM_TEST_URL"] ?? "";
const tokens = (process.env["LIVELOOM_TEST_TOKENS"] ?? "").split(",");
const room = `room:${process.env["LIVELOOM_TEST_ROOM"] ?? ""}`;
const options = { skip: url === "" ? "no server: LIVELOOM_TEST_URL is not set" : false, timeout: 60_000 };

const CHAT = "liveroom-pubchat";

/** A client in the room, and the chat that it heard. */
class Guest {
  readonly client: CuttableClient;
  readonly room: Subscription;
  readonly heard: Message[] = [];
  readonly losses: unknown[] = [];

  constructor(token: string) {
    this.client = new CuttableClient(url, token, { backoff: { baseMs: 50 } });
    this.room = this.client.subscribe(room);
    this.room.on("message", (message) => this.heard.push(message));
    this.room.on("lost", (lost) => this.losses.push(lost));
  }

  async enter(): Promise<void> {
    const subscribed = new Promise((resolve) => this.room.once("subscribed", resolve));
    this.client.connect();
    await this.client.ready();
    await subscribed;
  }

  /** The texts said in `talk`, in the order in which they came. */
  texts(talk: string): string[] {
    const said = this.heard.flatMap((message) => (message.deleted || message.action !== CHAT ? [] : [message.data]));
    return said.flatMap((data) => {
      const { talk: of, text } = data as { talk?: string; text: string };
      return of === talk ? [text] : [];
    });
  }

  /** Waits until `count` texts of `talk` came. */
  async hear(talk: string, count: number): Promise<string[]> {
    while (this.texts(talk).length < count) await new Promise((resolve) => this.room.once("message", resolve));
    return this.texts(talk);
  }

  /** Says it, however often the server asks to wait. */
  async say(talk: string, text: string): Promise<number> {
    try {
      return (await this.room.publish(CHAT, { talk, text })).offset;
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 429) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? 100));
      return this.say(talk, text);
    }
  }
}

const guests = url === "" ? [] : tokens.map((token) => new Guest(token));
const [anna, ben] = guests as [Guest, Guest];

before(() => Promise.all(guests.map((guest) => guest.enter())));
after(() => guests.forEach(({ client }) => client.disconnect()));

test("two clients chat, and the server says who spoke", options, async () => {
  const offset = await anna.say("chat", "hello");
  await ben.hear("chat", 1);
  await ben.say("chat", "hello yourself");
  assert.deepEqual(await anna.hear("chat", 2), ["hello", "hello yourself"]);
  const message = ben.heard.find((heard) => heard.offset === offset);
  assert.ok(message && !message.deleted && message.from !== "");
  assert.ok(Math.abs(message.ts - Date.now()) < 60_000);
});

test("all hear one order", options, async () => {
  const texts = Array.from({ length: 15 }, (_, number) => String(number));
  await Promise.all(guests.flatMap((guest, who) => texts.map((text) => guest.say("order", `${who}:${text}`))));
  const [one, other] = await Promise.all(guests.map((guest) => guest.hear("order", 30)));
  assert.deepEqual(one, other);
  assert.equal(new Set(one).size, 30);
  for (const { heard } of guests) {
    heard.slice(1).forEach(({ offset }, index) => assert.equal(offset, (heard[index]?.offset ?? 0) + 1));
  }
});

test("what was said during a cut is heard after it, once and in order", options, async () => {
  for (let cut = 0; cut < 5; cut++) {
    const talk = `cut ${cut}`;
    await anna.say(talk, "before");
    await ben.hear(talk, 1);
    const back = new Promise((resolve) => ben.room.once("subscribed", ({ recovered }) => resolve(recovered)));
    ben.client.cut();
    for (const text of ["during", "after"]) await anna.say(talk, text);
    assert.equal(await back, true);
    assert.deepEqual(await ben.hear(talk, 3), ["before", "during", "after"]);
  }
  assert.deepEqual(ben.losses, []);
});

test("history and presence show the room", options, async () => {
  await anna.say("history", "kept");
  const { publications, epoch } = await ben.client.history(room, { limit: 1 });
  assert.equal(epoch, ben.room.position?.epoch ?? epoch);
  assert.equal(publications.length, 1);
  const { online_count, users } = await anna.client.presence(room);
  assert.ok(online_count >= 2 && users.length >= 2);
});

test("what a guest may not do is refused with a code", options, async () => {
  await assert.rejects(anna.client.publish(room, "gift_notify", {}), { name: "RequestError", code: 403 });
  await assert.rejects(anna.client.publish(room, "not an action", {}), { name: "RequestError", code: 400 });
  const stranger = anna.client.subscribe("room:no-such-room");
  const { code } = await new Promise<{ code: number }>((resolve) => stranger.once("unsubscribed", resolve));
  assert.ok(code === 403 || code === 404, String(code));
});

test("a token that is none ends the client for good", options, async () => {
  const nobody = new CuttableClient(url, "no token");
  nobody.connect();
  await assert.rejects(nobody.ready(), DisconnectedError);
  assert.equal(nobody.state, "disconnected");
});
