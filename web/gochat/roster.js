/** All conversations of the user, and what of them outlives the page. */

import { Conversation } from "./conversation.js";

const STORE = "conversations";
const META = "sync";
const SAVE_AFTER_MS = 500;

/** Holds the conversations and the token of /sync; both are kept in one write, so that the token never runs ahead. */
export class Roster {
  #storage;
  #me;
  /** @type {Map<string, Conversation>} */
  #all = new Map();
  #dirty = new Set();
  /** @type {any} */
  #timer;
  /** Users seen, by id. @type {Map<string, any>} */
  users = new Map();
  /** @type {string | null} */
  token = null;

  /** @param {{storage: any, me: string}} ports */
  constructor({ storage, me }) {
    this.#storage = storage;
    this.#me = me;
  }

  async restore() {
    for (const record of await this.#storage.readAll(STORE)) {
      const conversation = Conversation.fromRecord(record, this.#me);
      this.#all.set(conversation.id, conversation);
      this.know(conversation.view.peer);
    }
    for (const { token, users } of await this.#storage.readAll(META)) {
      this.token = token;
      users.forEach((/** @type {any} */ user) => this.know(user));
    }
  }

  /** @param {string} id */
  get(id) {
    return this.#all.get(id);
  }

  /** Gives all conversations: pinned ones first, then by what was said last. */
  list() {
    return [...this.#all.values()].sort(
      (a, b) => Number(b.view.pinned) - Number(a.view.pinned) || (b.activeAt > a.activeAt ? 1 : b.activeAt < a.activeAt ? -1 : 0),
    );
  }

  /** Takes a conversation as the service sees it, known or new. @param {any} view */
  put(view) {
    this.know(view.peer);
    const known = this.#all.get(view.conversation_id);
    if (known) known.merge(view);
    const conversation = known ?? new Conversation(view, this.#me);
    this.#all.set(conversation.id, conversation);
    this.touch(conversation.id);
    return conversation;
  }

  /** Forgets a conversation with all its messages. @param {string} id */
  remove(id) {
    if (this.#all.delete(id)) this.touch(id);
  }

  /** Notes that a conversation changed; it is written soon, with the others. @param {string} id */
  touch(id) {
    this.#dirty.add(id);
    this.#timer ??= setTimeout(() => this.save(), SAVE_AFTER_MS);
  }

  /** @param {any} user */
  know(user) {
    if (user?.user_id) this.users.set(user.user_id, user);
  }

  /** Writes what changed. */
  async save() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = [...this.#dirty].map((id) => ({ store: STORE, key: id, value: this.#all.get(id)?.toRecord() }));
    this.#dirty.clear();
    await this.#storage.write([...changes, { store: META, key: "token", value: { token: this.token, users: [...this.users.values()] } }]);
  }

  /** Writes no more: this user's login has ended, or another page has taken over. */
  stop() {
    clearTimeout(this.#timer);
    this.touch = () => {};
  }
}
