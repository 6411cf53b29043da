/** Turns a conversation into the rows that are shown: days, what is new, messages, and what is on its way. */

import { dayOf } from "./format.js";

const TOGETHER_MS = 5 * 60_000;

/**
 * @param {import("../gochat/conversation.js").Conversation} conversation
 * @param {{drafts: any[], me: string, unreadAfter: number}} options `unreadAfter`: how far was read when it was opened
 */
export function rowsOf(conversation, { drafts, me, unreadAfter }) {
  const isGroup = conversation.view.type === "group";
  const stored = [...conversation.messages(), ...conversation.ahead().filter((message) => message.sender_id === me)];
  // Stored and not yet taken out of the outbox: for a moment it is in both.
  const known = new Set(stored.map((message) => message.client_msg_id));
  const waiting = drafts.filter((draft) => !known.has(draft.client_msg_id)).map((draft) => asMessage(draft, me));
  /** @type {any[]} */
  const rows = [];
  let before = null;
  let isMarked = false;
  for (const message of [...stored, ...waiting]) {
    const isMine = message.sender_id === me && message.type !== "system";
    const day = dayOf(message.created_at);
    const isNewDay = !before || dayOf(before.created_at) !== day;
    if (isNewDay) rows.push({ kind: "day", key: `day-${day}`, text: day });
    const isFirstUnread = !isMarked && unreadAfter > 0 && message.seq > unreadAfter && !isMine;
    if (isFirstUnread) rows.push({ kind: "unread", key: "unread" });
    isMarked ||= isFirstUnread;
    rows.push({
      kind: "message",
      key: `${message.sender_id}/${message.client_msg_id}`,
      message,
      isMine,
      isGroup,
      follows: !isNewDay && !isFirstUnread && isTogether(before, message),
      state: isMine ? (message.state ?? stateOf(conversation, message)) : null,
      code: message.code,
      replied: message.reply_to_seq ? (conversation.message(message.reply_to_seq) ?? { isAway: true }) : null,
    });
    before = message;
  }
  return rows;
}

/** @param {import("../gochat/conversation.js").Conversation} conversation @param {any} message */
function stateOf({ view, readers }, { seq }) {
  if (view.type === "group") return view.member_count > 1 && [...readers.values()].filter((read) => read >= seq).length >= view.member_count - 1 ? "read" : "stored";
  if (view.peer_read_seq >= seq) return "read";
  return view.peer_delivered_seq >= seq ? "delivered" : "stored";
}

/** @param {any} draft @param {string} me */
const asMessage = (draft, me) => ({ ...draft, seq: 0, sender_id: me, reactions: [], recalled: false, edited_at: null });

/** @param {any} before @param {any} message */
const isTogether = (before, message) =>
  before?.sender_id === message.sender_id &&
  before.type !== "system" &&
  Date.parse(message.created_at) - Date.parse(before.created_at) < TOGETHER_MS;
