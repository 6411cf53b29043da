/** One conversation as a device holds it: a window over its history without a hole, and how far everybody is.
 *
 * `seq` is gap-free, so a hole in it is a message on its way, or missed; `change` counts the changes of stored messages in
 * the same way. Whatever comes twice or late changes nothing, which is what lets live events, /sync and history overlap.
 */

import { current, mutate, tell, unknownMessage } from "./message.js";

/** @typedef {import("./message.js").Message} Message */

const KEPT = 60;

/** Merges all that is told of one conversation; asks nobody for anything. */
export class Conversation {
  #me;
  /** @type {Map<number, import("./message.js").Entry>} */
  #entries = new Map();
  /** Changes that came before an earlier one did. @type {Set<number>} */
  #early = new Set();
  /** The window, `low` to `high`; null while nothing is loaded. @type {number | null} */
  low = null;
  high = 0;
  /** Whether there is nothing above the window. */
  atStart = false;
  /** Every change up to this one is known. */
  change = 0;
  /** What the service was told that this device has, and that its user has read. */
  toldDelivered = 0;
  toldRead = 0;
  /** How far other members of a group are, as told since the page was opened. @type {Map<string, number>} */
  readers = new Map();

  /** @param {any} view @param {string} me */
  constructor(view, me) {
    this.view = view;
    this.#me = me;
    this.change = view.change;
  }

  get id() {
    return this.view.conversation_id;
  }

  get lastSeq() {
    return Math.max(this.view.last_seq, this.high);
  }

  /** Computed from cursors as the service does it, never counted: what one sent oneself counts as read. */
  get unread() {
    return Math.max(0, this.lastSeq - this.view.read_seq);
  }

  get cursor() {
    return { seq: this.high, change: this.change };
  }

  /** Whether messages are missing between the window and the end, or changes before one that is known. */
  get behind() {
    return this.low === null ? this.view.last_seq > 0 : this.lastSeq > this.high || this.#beyond().length > 0;
  }

  get missesChanges() {
    return this.#early.size > 0;
  }

  /** Gives the messages of the window, ascending. @returns {Message[]} */
  messages() {
    return this.#within().map((entry) => current(entry, this.#me)).filter((message) => message !== null);
  }

  /** Gives what is stored behind a hole that is about to be filled. @returns {Message[]} */
  ahead() {
    return this.#beyond().sort(([a], [b]) => a - b).map(([, entry]) => /** @type {Message} */ (current(entry, this.#me)));
  }

  /** @param {number} seq @returns {Message | null} */
  message(seq) {
    return current(this.#entries.get(seq) ?? unknownMessage(), this.#me);
  }

  /** @returns {Message | null} */
  get lastMessage() {
    const told = this.view.last_message;
    const held = this.low === null ? null : this.message(this.high);
    return held && (!told || held.seq >= told.seq) ? held : told;
  }

  /** When something was last said here; the list's order. */
  get activeAt() {
    const said = this.lastMessage?.created_at ?? "";
    return said > this.view.updated_at ? said : this.view.updated_at;
  }

  /** Takes the conversation as the service sees it; what only grows never shrinks, as views overtake each other. @param {any} view */
  merge(view) {
    const { last_seq, read_seq, peer_delivered_seq, peer_read_seq, last_message } = this.view;
    this.view = {
      ...view,
      last_seq: Math.max(view.last_seq, last_seq),
      read_seq: Math.max(view.read_seq, read_seq),
      peer_delivered_seq: Math.max(view.peer_delivered_seq, peer_delivered_seq),
      peer_read_seq: Math.max(view.peer_read_seq, peer_read_seq),
      last_message: (view.last_message?.seq ?? 0) >= (last_message?.seq ?? 0) ? view.last_message : last_message,
    };
  }

  /** Takes new messages in any order, also repeated ones; those behind a hole wait for it to be filled. @param {Message[]} messages */
  add(messages) {
    for (const message of messages) {
      if (this.low === null) this.#begin(Math.min(message.seq, this.view.last_seq + 1));
      this.#tell(message);
    }
    this.#grow();
  }

  /** Takes what the service answered for `after_seq=high`: between its messages there is nothing else. @param {Message[]} page */
  addAfter(page) {
    const first = page[0];
    if (!first) {
      // Nothing is left of what would follow: retention took it.
      if (!this.#beyond().length) this.high = this.lastSeq;
      return;
    }
    if (this.low === null || first.seq > this.high + 1) this.#begin(first.seq);
    page.forEach((message) => this.#tell(message));
    this.#grow();
  }

  /** Takes a page of history above the window. @param {Message[]} page @param {boolean} hasMore */
  addBefore(page, hasMore) {
    page.forEach((message) => this.#tell(message));
    if (page[0] && this.low !== null) this.low = Math.min(this.low, page[0].seq);
    this.atStart = !hasMore || this.low === 1;
  }

  /** Begins anew with the latest page; what came live meanwhile stays. @param {Message[]} page @param {boolean} hasMore */
  reset(page, hasMore) {
    const first = page[0]?.seq ?? this.view.last_seq + 1;
    for (const [seq, entry] of this.#entries) if (entry.told && seq < first) this.#entries.delete(seq);
    this.#begin(first);
    this.atStart ||= !hasMore;
    page.forEach((message) => this.#tell(message));
    this.#grow();
  }

  /** Forgets all messages: what is told next begins anew. */
  forget() {
    this.#entries.clear();
    this.#early.clear();
    this.beginAnew();
  }

  /** Gives up the window: its beginning was cleared. What came live meanwhile stays, as nothing tells of it once more. */
  beginAnew() {
    this.low = null;
    this.high = 0;
    this.atStart = false;
  }

  /** Takes a change of a message, known or not. @param {string} event @param {any} data */
  mutate(event, data) {
    const entry = this.#entry(data.seq);
    const isNews = mutate(entry, { event, data });
    if (data.change > this.change) this.#early.add(data.change);
    this.#countChanges();
    return isNews;
  }

  /** Notes that every change up to this one is known. @param {number} change */
  knowChanges(change) {
    this.change = Math.max(this.change, change);
    this.#countChanges();
  }

  /** @param {{user_id: string, delivered_seq: number, read_seq: number}} receipt */
  receive({ user_id, delivered_seq, read_seq }) {
    if (user_id === this.#me) {
      this.view.read_seq = Math.max(this.view.read_seq, read_seq);
    } else if (this.view.type === "single") {
      this.view.peer_delivered_seq = Math.max(this.view.peer_delivered_seq, delivered_seq);
      this.view.peer_read_seq = Math.max(this.view.peer_read_seq, read_seq);
    } else {
      this.readers.set(user_id, Math.max(this.readers.get(user_id) ?? 0, read_seq));
    }
  }

  /** Gives what the next page goes on from: the end of the window alone. */
  toRecord() {
    const { view, high, change, toldDelivered, toldRead } = this;
    const low = this.low === null ? null : Math.max(this.low, high - KEPT + 1);
    const entries = [...this.#entries].filter(([seq]) => low === null || seq >= low);
    const atStart = this.atStart && low === this.low;
    return { view, low, high, atStart, change, toldDelivered, toldRead, entries, early: [...this.#early] };
  }

  /** @param {any} record @param {string} me */
  static fromRecord({ view, entries, early, ...rest }, me) {
    const conversation = Object.assign(new Conversation(view, me), rest);
    conversation.#entries = new Map(entries);
    conversation.#early = new Set(early);
    return conversation;
  }

  /** @param {Message} message */
  #tell(message) {
    tell(this.#entry(message.seq), message);
    if (message.sender_id === this.#me) this.view.read_seq = Math.max(this.view.read_seq, message.seq);
  }

  /** @param {number} seq */
  #entry(seq) {
    const known = this.#entries.get(seq) ?? unknownMessage();
    this.#entries.set(seq, known);
    return known;
  }

  /** @param {number} seq */
  #begin(seq) {
    this.low = seq;
    this.high = seq - 1;
    this.atStart = seq === 1;
  }

  #grow() {
    while (this.low !== null && this.#entries.get(this.high + 1)?.told) this.high += 1;
  }

  #countChanges() {
    for (const change of this.#early) if (change <= this.change) this.#early.delete(change);
    while (this.#early.delete(this.change + 1)) this.change += 1;
  }

  #within() {
    if (this.low === null) return [];
    const { low, high } = this;
    return [...this.#entries].filter(([seq]) => seq >= low && seq <= high).sort(([a], [b]) => a - b).map(([, entry]) => entry);
  }

  #beyond() {
    return [...this.#entries].filter(([seq, { told }]) => told && seq > this.high);
  }
}
