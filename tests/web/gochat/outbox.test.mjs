/** What becomes of what the user sent. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ConnectionLost, Refused } from "../../../web/gochat/connection.js";
import { Outbox } from "../../../web/gochat/outbox.js";
import { MemoryStorage } from "../../../web/gochat/storage.js";
import { CHAT, settled } from "./fakes.mjs";

let storage, frames, outbox;

const open = () =>
  new Outbox({
    storage,
    request: (action, data) => new Promise((resolve, reject) => frames.push({ action, data, ack: resolve, fail: reject })),
    onChange: () => {},
  });
const text = (words) => ({ content: { text: words } });
const sentTexts = () => frames.map(({ data }) => data.content.text);
const states = () => outbox.drafts(CHAT).map(({ state }) => state);

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  storage = new MemoryStorage();
  frames = [];
  outbox = open();
});

test("one message of a conversation is unacknowledged at a time, in the order typed", async () => {
  for (const words of ["one", "two", "three"]) await outbox.post(CHAT, text(words));
  await outbox.post("another", text("elsewhere"));
  assert.deepEqual(sentTexts(), ["one", "elsewhere"]);
  frames[0].ack({});
  await settled();
  assert.deepEqual(sentTexts(), ["one", "elsewhere", "two"]);
});

test("a message is on disk before it is sent, and a reload sends it again under its id", async () => {
  const id = await outbox.post(CHAT, text("one"));
  frames = [];
  outbox = open();
  await outbox.restore();
  outbox.flush();
  assert.deepEqual([frames[0].data.client_msg_id, states()], [id, ["sent"]]);
});

test("an accepted message without an answer is asked for again, under the same id, until it is stored", async () => {
  const id = await outbox.post(CHAT, text("one"));
  frames[0].ack({});
  await settled();
  assert.deepEqual(states(), ["accepted"]);
  mock.timers.tick(15_000);
  assert.deepEqual(frames.map(({ data }) => data.client_msg_id), [id, id]);
  await outbox.settle(id);
  mock.timers.tick(60_000);
  assert.deepEqual([frames.length, outbox.isEmpty, (await storage.readAll("outbox")).length], [2, true, 0]);
});

test("a lost connection sends everything unsettled again, once the next one is there", async () => {
  await outbox.post(CHAT, text("one"));
  frames[0].ack({});
  await settled();
  await outbox.post(CHAT, text("two"));
  frames[1].fail(new ConnectionLost("gone"));
  await settled();
  assert.equal(frames.length, 2);
  outbox.resend();
  assert.equal(sentTexts()[2], "one");
  frames[2].ack({});
  await settled();
  assert.equal(sentTexts()[3], "two");
});

test("a refusal for the moment is tried again, and later ones wait behind it", async () => {
  await outbox.post(CHAT, text("one"));
  await outbox.post(CHAT, text("two"));
  frames[0].fail(new Refused({ code: "rate_limited", message: "", retryable: true, retry_after_ms: 700 }));
  await settled();
  assert.deepEqual([states(), sentTexts()], [["waiting", "queued"], ["one"]]);
  mock.timers.tick(700);
  assert.deepEqual([states(), sentTexts()], [["sent", "queued"], ["one", "one"]]);
});

test("a refusal for good is shown, lets the next one go, and can be tried as a new message", async () => {
  const id = await outbox.post(CHAT, text("one"));
  await outbox.post(CHAT, text("two"));
  frames[0].ack({});
  await outbox.reject(id, "blocked");
  await settled();
  assert.deepEqual(outbox.drafts(CHAT).map(({ state, code }) => [state, code]), [["failed", "blocked"], ["sent", undefined]]);
  await outbox.retry(id);
  const fresh = outbox.drafts(CHAT).at(-1);
  assert.deepEqual([fresh.content.text, fresh.client_msg_id === id], ["one", false]);
});

test("an acknowledgement that is overtaken by `message.stored` brings nothing back", async () => {
  const id = await outbox.post(CHAT, text("one"));
  await outbox.settle(id);
  frames[0].ack({});
  await settled();
  assert.deepEqual([outbox.drafts(CHAT), outbox.isEmpty], [[], true]);
});
