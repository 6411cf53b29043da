/** What a conversation makes of what it is told, in whatever order, however often. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Conversation } from "../../../web/gochat/conversation.js";
import { ALICE, BOB, edited, message, randomFrom, reaction, recalled, shuffled, view } from "./fakes.mjs";

const loaded = (count) => {
  const conversation = new Conversation(view({ last_seq: count }), ALICE);
  conversation.reset(Array.from({ length: count }, (_, at) => message(at + 1)), false);
  return conversation;
};
const seqs = (conversation) => conversation.messages().map((one) => one.seq);

test("messages and changes in any order, each several times, end in one state", () => {
  const later = [
    edited(2, 1, "second thoughts"), reaction(3, 2, "👍", [BOB]), recalled(4, 3), reaction(3, 4, "🎉", [ALICE], "add", ALICE), reaction(3, 5, "👍", [], "remove"),
    edited(2, 6, "third thoughts"), edited(6, 7, "new and edited"),
  ];
  for (let seed = 1; seed <= 200; seed += 1) {
    const conversation = loaded(4);
    const told = [5, 6, 7, 8].map((seq) => () => conversation.add([message(seq)])).concat(later.map((one) => () => conversation.mutate(...one)));
    shuffled([...told, ...told], randomFrom(seed)).forEach((tell) => tell());

    assert.deepEqual(seqs(conversation), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(conversation.message(2).content.text, "third thoughts");
    assert.deepEqual(conversation.message(3).reactions, [{ emoji: "🎉", count: 1, mine: true, user_ids: [ALICE] }]);
    assert.deepEqual([conversation.message(4).recalled, conversation.message(4).content], [true, {}]);
    assert.equal(conversation.message(6).content.text, "new and edited");
    assert.deepEqual(conversation.cursor, { seq: 8, change: 7 });
    assert.ok(!conversation.behind && !conversation.missesChanges);
  }
});

test("what stands behind a hole waits, and tells that something is missing", () => {
  const conversation = loaded(2);
  conversation.add([message(4)]);
  assert.deepEqual([seqs(conversation), conversation.behind, conversation.cursor.seq], [[1, 2], true, 2]);
  conversation.addAfter([message(3), message(4)]);
  assert.deepEqual([seqs(conversation), conversation.behind], [[1, 2, 3, 4], false]);
});

test("a cursor never covers a change that was not told", () => {
  const conversation = loaded(2);
  conversation.mutate(...edited(1, 2, "later"));
  assert.deepEqual([conversation.cursor.change, conversation.missesChanges], [0, true]);
  conversation.knowChanges(1);
  assert.deepEqual([conversation.cursor.change, conversation.missesChanges], [2, false]);
});

test("an older state of a message, told late, changes nothing", () => {
  const conversation = loaded(1);
  conversation.add([message(1, { change: 5, content: { text: "newest" } })]);
  conversation.add([message(1, { change: 3, content: { text: "older" } })]);
  conversation.mutate(...edited(1, 4, "older, too"));
  assert.equal(conversation.message(1).content.text, "newest");
});

test("history grows the window upwards, to its beginning", () => {
  const conversation = new Conversation(view({ last_seq: 40 }), ALICE);
  conversation.reset([message(39), message(40)], true);
  assert.equal(conversation.atStart, false);
  conversation.addBefore([message(37), message(38)], false);
  assert.deepEqual([seqs(conversation), conversation.atStart], [[37, 38, 39, 40], true]);
});

test("retention may have taken what lies between: the window goes on behind it", () => {
  const conversation = loaded(2);
  conversation.merge(view({ last_seq: 9 }));
  conversation.addAfter([message(8), message(9)]);
  assert.deepEqual([seqs(conversation), conversation.behind], [[8, 9], false]);
});

test("unread follows from cursors: one's own messages count as read, and nothing ever goes back", () => {
  const conversation = loaded(3);
  assert.equal(conversation.unread, 3);
  conversation.receive({ user_id: ALICE, delivered_seq: 2, read_seq: 2 });
  assert.equal(conversation.unread, 1);
  conversation.add([message(4, { sender_id: ALICE }), message(5)]);
  assert.equal(conversation.unread, 1);
  conversation.merge(view({ last_seq: 3, read_seq: 1 }));
  assert.equal(conversation.unread, 1);
});

test("receipts of the other one move the states of one's own messages, forwards alone", () => {
  const conversation = loaded(3);
  conversation.receive({ user_id: BOB, delivered_seq: 3, read_seq: 2 });
  conversation.receive({ user_id: BOB, delivered_seq: 1, read_seq: 1 });
  assert.deepEqual([conversation.view.peer_delivered_seq, conversation.view.peer_read_seq], [3, 2]);
});

test("what a page keeps is enough for the next one", () => {
  const conversation = loaded(70);
  conversation.mutate(...edited(70, 2, "early"));
  const kept = Conversation.fromRecord(structuredClone(conversation.toRecord()), ALICE);
  assert.deepEqual([seqs(kept)[0], kept.high, kept.atStart, kept.cursor], [11, 70, false, { seq: 70, change: 0 }]);
  assert.equal(kept.message(70).content.text, "early");
  kept.mutate(...edited(69, 1, "in between"));
  assert.equal(kept.cursor.change, 2);
});
