/** What the service is told of deliveries and reading. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ConnectionLost } from "../../../web/gochat/connection.js";
import { Marks } from "../../../web/gochat/marks.js";
import { Roster } from "../../../web/gochat/roster.js";
import { MemoryStorage } from "../../../web/gochat/storage.js";
import { ALICE, CHAT, settled, view } from "./fakes.mjs";

let roster, marks, told, isConnected;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  told = [];
  isConnected = true;
  roster = new Roster({ storage: new MemoryStorage(), me: ALICE });
  roster.put(view({ last_seq: 9 }));
  const request = async (action, { seq }) => {
    if (!isConnected) throw new ConnectionLost("gone");
    told.push([action, seq]);
  };
  marks = new Marks({ request, roster });
});

const later = async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    mock.timers.tick(250);
    await settled();
  }
};

test("a burst is told once, by its last message, and reading tells of the delivery", async () => {
  for (const seq of [1, 2, 3]) marks.delivered(roster.get(CHAT), seq);
  await later();
  marks.read(roster.get(CHAT), 3);
  marks.delivered(roster.get(CHAT), 3);
  await later();
  assert.deepEqual(told, [["message.delivered", 3], ["message.read", 3]]);
});

test("what came further than it was read is told of both", async () => {
  marks.read(roster.get(CHAT), 4);
  marks.delivered(roster.get(CHAT), 6);
  await later();
  assert.deepEqual(told, [["message.read", 4], ["message.delivered", 6]]);
});

test("a chat that was cleared and goes on is told of from its new beginning", async () => {
  marks.read(roster.get(CHAT), 6);
  await later();
  roster.remove(CHAT);
  roster.put(view({ last_seq: 7 }));
  marks.delivered(roster.get(CHAT), 7);
  await later();
  assert.deepEqual(told.at(-1), ["message.delivered", 7]);
});

test("what could not be told is told over the next connection", async () => {
  isConnected = false;
  marks.read(roster.get(CHAT), 5);
  await later();
  assert.equal(roster.get(CHAT).unread, 4);
  isConnected = true;
  marks.flush();
  await later();
  assert.deepEqual(told, [["message.read", 5]]);
});
