/** How a client that was away catches up. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Roster } from "../../../web/gochat/roster.js";
import { MemoryStorage } from "../../../web/gochat/storage.js";
import { Sync } from "../../../web/gochat/sync.js";
import { ALICE, CHAT, edited, message, settled, view } from "./fakes.mjs";

let storage, roster, sync, asked, answers;

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
const answer = (fields, { token = "t1", has_more = false, removed = [] } = {}) => ({
  token, removed, has_more, conversations: fields ? [{ conversation: view(), messages: [], changed: [], has_more: false, ...fields }] : [],
});
const open = () => {
  roster = new Roster({ storage, me: ALICE });
  const api = async (method, path, { body } = {}) => {
    asked.push(path === "/sync" ? body : path);
    const found = answers.shift();
    if (found instanceof Error) throw found;
    return found;
  };
  sync = new Sync({ api, roster, onMessages: () => {} });
};
const seqs = () => roster.get(CHAT).messages().map((one) => one.seq);

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  storage = new MemoryStorage();
  asked = [];
  answers = [];
  open();
});

test("the first walk asks for everything, page by page, and the next one only for what changed", async () => {
  answers = [
    answer({ conversation: view({ last_seq: 2, change: 3 }), messages: range(1, 2) }, { token: "t1", has_more: true }),
    answer(null, { token: "t2" }),
    answer({ conversation: view({ last_seq: 3, change: 4 }), messages: [message(3)], changed: [message(1, { change: 4, content: { text: "edited" } })] }, { token: "t3" }),
  ];
  await sync.run();
  await sync.run();
  assert.deepEqual(asked, [
    { token: null, cursors: {} },
    { token: "t1", cursors: { [CHAT]: { seq: 2, change: 3 } } },
    { token: "t2", cursors: { [CHAT]: { seq: 2, change: 3 } } },
  ]);
  assert.deepEqual([seqs(), roster.get(CHAT).message(1).content.text, roster.get(CHAT).cursor], [[1, 2, 3], "edited", { seq: 3, change: 4 }]);
});

test("a reload goes on from the last token, with what was kept", async () => {
  answers = [answer({ conversation: view({ last_seq: 2 }), messages: range(1, 2) })];
  await sync.run();
  open();
  await roster.restore();
  answers = [answer(null, { token: "t2" })];
  await sync.run();
  assert.deepEqual([asked.at(-1), seqs()], [{ token: "t1", cursors: { [CHAT]: { seq: 2, change: 0 } } }, [1, 2]]);
});

test("a walk that fails begins where it stopped, and loses nothing", async () => {
  answers = [answer({ conversation: view({ last_seq: 1 }), messages: [message(1)] }, { has_more: true }), new Error("no network"), answer(null, { token: "t2" })];
  await assert.rejects(sync.run());
  await sync.run();
  assert.deepEqual([asked[1].token, asked[2].token, seqs()], ["t1", "t1", [1]]);
});

test("after a far absence a conversation begins anew at its end", async () => {
  answers = [
    answer({ conversation: view({ last_seq: 2 }), messages: range(1, 2) }),
    answer({ conversation: view({ last_seq: 500, change: 9 }), messages: range(3, 102), has_more: true }, { token: "t2" }),
    { messages: range(451, 500), has_more: true },
  ];
  await sync.run();
  await sync.run();
  assert.deepEqual([seqs()[0], seqs().at(-1), roster.get(CHAT).cursor, roster.get(CHAT).atStart], [451, 500, { seq: 500, change: 9 }, false]);
});

test("what was removed is forgotten, and what begins anew in the same answer has only its new messages", async () => {
  answers = [
    answer({ conversation: view({ last_seq: 2 }), messages: range(1, 2) }),
    answer({ conversation: view({ last_seq: 3 }), messages: [message(3)] }, { removed: [CHAT] }),
    answer(null, { removed: [CHAT] }),
  ];
  await sync.run();
  await sync.run();
  assert.deepEqual(seqs(), [3]);
  await sync.run();
  assert.equal(roster.get(CHAT), undefined);
});

test("a hole that closes by itself costs no request, one that stays is fetched", async () => {
  answers = [answer({ conversation: view({ last_seq: 1 }), messages: [message(1)] })];
  await sync.run();
  const conversation = roster.get(CHAT);
  conversation.add([message(3)]);
  sync.mend(conversation);
  conversation.add([message(2)]);
  mock.timers.tick(500);
  await settled();
  assert.equal(asked.length, 1);
  conversation.add([message(6)]);
  answers = [{ messages: range(4, 6), has_more: false }];
  sync.mend(conversation);
  mock.timers.tick(500);
  await settled();
  assert.deepEqual([asked.at(-1), seqs()], [`/conversations/${CHAT}/messages?after_seq=3&limit=100`, [1, 2, 3, 4, 5, 6]]);
});

test("a change that was missed is asked for with /sync", async () => {
  answers = [answer({ conversation: view({ last_seq: 1 }), messages: [message(1)] })];
  await sync.run();
  roster.get(CHAT).mutate(...edited(1, 2, "later"));
  answers = [answer({ conversation: view({ last_seq: 1, change: 2 }), changed: [message(1, { change: 2, content: { text: "later" } })] }, { token: "t2" })];
  sync.mend(roster.get(CHAT));
  mock.timers.tick(500);
  await settled();
  assert.deepEqual([asked.at(-1), roster.get(CHAT).cursor.change], [{ token: "t1", cursors: { [CHAT]: { seq: 1, change: 0 } } }, 2]);
});

test("what comes live while an answer says that its chat was cleared stays, messages and changes", async () => {
  answers = [answer({ conversation: view({ last_seq: 2 }), messages: range(1, 2) })];
  await sync.run();
  const cleared = answer({ conversation: view({ last_seq: 3 }), messages: [message(3)] }, { removed: [CHAT] });
  answers = [cleared];
  const walk = sync.run();
  roster.get(CHAT).add([message(3), message(4)]);
  roster.get(CHAT).mutate(...edited(3, 1, "edited"));
  await walk;
  assert.deepEqual([seqs(), roster.get(CHAT).message(3).content.text], [[3, 4], "edited"]);
});
