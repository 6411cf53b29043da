/** The other side of the library's ports: an API, a WebSocket and a person's messages. */

import { Problem } from "../../../web/gochat/rest.js";

export const ALICE = "7340032000";
export const BOB = "7340032001";
export const CHAT = "0f8fad5bd9cb469fa16570867728950e";

const NOW = "2026-11-23T07:00:00.123Z";

export const message = (seq, fields = {}) => ({
  message_id: `9${seq}`, conversation_id: CHAT, seq, sender_id: BOB, client_msg_id: `b-${seq}`, type: "text", content: { text: `text ${seq}` },
  reply_to_seq: null, mentions: [], created_at: NOW, edited_at: null, recalled: false, reactions: [], change: 0, ...fields,
});

export const view = (fields = {}) => ({
  conversation_id: CHAT, type: "single", name: null, group_id: null, peer: { user_id: BOB, username: "bob", display_name: "Bob", avatar_url: null, created_at: NOW },
  peer_delivered_seq: 0, peer_read_seq: 0, member_count: 2, last_message: null, last_seq: 0, change: 0, read_seq: 0, unread_count: 0, muted: false,
  pinned: false, updated_at: NOW, ...fields,
});

export const edited = (seq, change, text) => ["message.edited", { conversation_id: CHAT, seq, change, sender_id: BOB, content: { text }, edited_at: NOW }];
export const recalled = (seq, change) => ["message.recalled", { conversation_id: CHAT, seq, change, sender_id: BOB, recalled_at: NOW }];
export const reaction = (seq, change, emoji, user_ids, action = "add", user_id = BOB) => [
  "reaction",
  { conversation_id: CHAT, seq, change, user_id, emoji, action, count: user_ids.length, user_ids },
];

export const problem = (status, code) => new Problem(status, { code });

/** A generator of the same numbers every time (mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled(items, random) {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  return mixed;
}

/** Lets everything that waits for nothing but promises go on. */
export const settled = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

/** A WebSocket whose other end is the test: `sent` holds frames, `receive` delivers one. */
export class FakeSocket {
  static all = [];

  static get last() {
    return FakeSocket.all.at(-1);
  }

  constructor(url, protocols) {
    Object.assign(this, { url, protocols, sent: [], closed: false });
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  receive(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  /** Opens, and answers `hello`. */
  async open(hello = {}) {
    this.onopen();
    await settled();
    const answer = { connection_id: "c", ping_interval_s: 60, server_time: "2026-11-23T07:00:00.000Z", reconnect_before: "2026-11-23T08:55:00.000Z", ...hello };
    this.receive({ event: "ack", id: this.frame("hello").id, data: answer });
    await settled();
  }

  frame(action) {
    return this.sent.findLast((frame) => frame.action === action);
  }

  end() {
    this.onclose();
  }
}
