/** The client: everything that a page needs of GoChat, and nothing of the page. */

import { ConnectionLost } from "./connection.js";
import { Link } from "./link.js";
import { Marks } from "./marks.js";
import { Outbox } from "./outbox.js";
import { Presence } from "./presence.js";
import { Problem } from "./rest.js";
import { Roster } from "./roster.js";
import { Sync } from "./sync.js";

const MUTATIONS = ["message.recalled", "message.edited", "reaction"];

/** What belongs to one login, and is cleared with it. */
export const STORES = ["conversations", "sync", "outbox"];

/**
 * One user on one device. `onChange` is called whenever something to be shown has changed, `onRefused` with what the
 * service refused after having acknowledged it.
 */
export class Client {
  #session;
  #storage;
  #shown = "";
  #synced = false;
  /** @type {() => void} */
  onChange = () => {};
  /** @type {(code: string, message: string) => void} */
  onRefused = () => {};

  /** @param {{session: import("./session.js").Session, storage: any, WebSocket?: typeof WebSocket, random?: () => number}} ports */
  constructor({ session, storage, WebSocket, random }) {
    this.#session = session;
    this.#storage = storage;
    this.me = session.user;
    const changed = () => this.onChange();
    const request = (/** @type {string} */ action, /** @type {any} */ data) => this.link.request(action, data);
    const api = (/** @type {string} */ method, /** @type {string} */ path, /** @type {any} */ options) => this.api(method, path, options);
    this.link = new Link({ session, WebSocket, random });
    this.roster = new Roster({ storage, me: this.me.user_id });
    this.outbox = new Outbox({ storage, request, onChange: changed });
    this.marks = new Marks({ request, roster: this.roster });
    this.presence = new Presence({ link: this.link, onChange: changed });
    this.sync = new Sync({ api, roster: this.roster, onMessages: (conversation, messages) => this.#arrived(conversation, messages) });
    this.link.onStatus = changed;
    this.link.onEvent = (event, data) => this.#on(event, data);
    this.link.onConnected = () => this.#connected();
  }

  /** Whether what is shown is up to date: connected, and caught up since. */
  get status() {
    return this.link.status === "online" && !this.#synced ? "catching up" : this.link.status;
  }

  /** Goes on where the last page stopped, then connects. */
  async start() {
    await this.roster.restore();
    await this.outbox.restore();
    this.onChange();
    this.link.start();
  }

  /** Lets go of everything; what is kept stays for the next page. */
  async stop() {
    this.link.stop();
    this.outbox.stop();
    this.marks.stop();
    this.sync.stop();
    this.roster.stop();
  }

  /** Forgets all that this login has kept on this device. */
  async forget() {
    await this.stop();
    await this.#storage.clear(STORES);
  }

  /** @param {string} method @param {string} path @param {any} [options] */
  api(method, path, options) {
    return this.#session.api(method, path, options);
  }

  /** Writes something over REST, once, however often the network fails. @param {string} method @param {string} path @param {any} [body] */
  write(method, path, body) {
    return this.api(method, path, { body, idempotencyKey: crypto.randomUUID() });
  }

  /** Asks for a change of a message over the socket. @param {string} action @param {any} data */
  async act(action, data) {
    try {
      await this.link.request(action, data);
    } catch (failure) {
      if (failure instanceof ConnectionLost) throw new Error("There is no connection at the moment.", { cause: failure });
      throw failure;
    }
  }

  /** Says which conversation is looked at, "" for none: what arrives there is read at once. @param {string} id */
  show(id) {
    this.#shown = id;
    const conversation = this.roster.get(id);
    if (conversation && conversation.high > conversation.toldRead) this.marks.read(conversation, conversation.high);
  }

  /** Gives a user, asking the service once for one who was never seen. @param {string} userId */
  user(userId) {
    const known = this.roster.users.get(userId);
    if (!known && userId && !this.#asked.has(userId)) {
      this.#asked.add(userId);
      this.api("GET", `/users/${userId}`)
        .then(({ user }) => this.roster.know(user))
        .catch((failure) => failure instanceof Problem || this.#asked.delete(userId))
        .finally(() => this.onChange());
    }
    return known ?? (userId === this.me.user_id ? this.me : undefined);
  }
  /** @type {Set<string>} */
  #asked = new Set();

  /** Listen first, then fetch: what is stored in between comes one way or the other. */
  async #connected() {
    this.#synced = false;
    this.onChange();
    this.outbox.flush();
    this.presence.resume();
    this.marks.flush();
    try {
      await this.sync.run();
    } catch {
      // Nothing but /sync tells what was missed: without its answer this connection is worth nothing.
      this.link.drop();
      return;
    }
    this.#synced = true;
    this.outbox.resend();
    this.presence.watch(this.roster.list().map((conversation) => conversation.view.peer?.user_id));
    this.onChange();
  }

  /** @param {string} event @param {any} data */
  #on(event, data) {
    if (event === "message.new") this.#onMessages(data.messages);
    else if (event === "message.stored") this.#onStored(data);
    else if (event === "message.rejected") this.outbox.reject(data.client_msg_id, data.code);
    else if (event === "request.rejected") this.onRefused(data.code, data.message);
    else if (MUTATIONS.includes(event)) this.#onMutation(event, data);
    else if (event === "receipt") this.#onReceipt(data);
    else if (event === "typing") this.presence.onWriting(data);
    else if (event === "presence") this.presence.on(data);
    else if (event === "conversation.created" || event === "conversation.updated") this.#onConversation(data);
    else if (event.startsWith("group.")) this.#onGroup(event, data);
    this.onChange();
  }

  /** @param {any[]} messages */
  #onMessages(messages) {
    for (const [id, those] of grouped(messages)) {
      const conversation = this.roster.get(id);
      // One that is not known yet, or was hidden: /sync tells all of it.
      if (!conversation) return void this.sync.run().catch(() => this.link.drop());
      conversation.add(those);
      those.forEach((message) => this.presence.onMessage(id, message.sender_id));
      this.#arrived(conversation, those);
      this.sync.mend(conversation);
    }
  }

  /** Whatever way messages came: what is ours is settled, what is others' is delivered, and read where somebody looks. @param {import("./conversation.js").Conversation} conversation @param {any[]} messages */
  #arrived(conversation, messages) {
    const mine = messages.filter((message) => message.sender_id === this.me.user_id);
    mine.forEach((message) => this.outbox.settle(message.client_msg_id));
    if (mine.length < messages.length && (conversation.unread > 0 || this.#synced)) this.marks.delivered(conversation, conversation.high);
    if (this.#shown === conversation.id && conversation.high > conversation.toldRead) this.marks.read(conversation, conversation.high);
    this.presence.watch([conversation.view.peer?.user_id]);
    this.roster.touch(conversation.id);
    this.onChange();
  }

  /** @param {any} stored */
  async #onStored({ client_msg_id, conversation_id, message_id, seq, created_at }) {
    const conversation = this.roster.get(conversation_id);
    const draft = this.outbox.drafts(conversation_id).find((one) => one.client_msg_id === client_msg_id);
    if (conversation && !draft && !conversation.message(seq)) {
      // Settled on another way, or before a reload, and not kept: fetched like any other message that is missing.
      conversation.view.last_seq = Math.max(conversation.view.last_seq, seq);
      this.sync.mend(conversation);
    }
    if (conversation && draft && !conversation.message(seq)) {
      const { type, content, reply_to_seq, mentions } = draft;
      const fresh = { edited_at: null, recalled: false, reactions: [], change: 0 };
      conversation.add([
        { message_id, conversation_id, seq, sender_id: this.me.user_id, client_msg_id, type, content, reply_to_seq, mentions, created_at, ...fresh },
      ]);
      this.roster.touch(conversation_id);
      this.sync.mend(conversation);
    }
    // Kept first, then taken out of the outbox: a reload in between finds it in one of the two.
    await this.roster.save();
    await this.outbox.settle(client_msg_id);
  }

  /** @param {string} event @param {any} data */
  #onMutation(event, data) {
    const conversation = this.roster.get(data.conversation_id);
    if (!conversation?.mutate(event, data)) return;
    this.roster.touch(conversation.id);
    this.sync.mend(conversation);
  }

  /** @param {any} data */
  #onReceipt(data) {
    this.roster.get(data.conversation_id)?.receive(data);
    this.roster.touch(data.conversation_id);
  }

  /** @param {{conversation: any, hidden?: boolean}} data */
  #onConversation({ conversation: view, hidden }) {
    if (hidden) return this.roster.remove(view.conversation_id);
    const conversation = this.roster.put(view);
    if (conversation.low === null && view.last_message?.seq === 1) conversation.add([view.last_message]);
    this.presence.watch([view.peer?.user_id]);
    this.sync.mend(conversation);
  }

  /** @param {string} event @param {any} data */
  #onGroup(event, { group, user_ids = [] }) {
    const conversation = this.roster.get(group.conversation_id);
    if (!conversation) return;
    if (event === "group.member_left" && user_ids.includes(this.me.user_id)) return this.roster.remove(conversation.id);
    conversation.view = { ...conversation.view, name: group.name, member_count: group.member_count };
    this.roster.touch(conversation.id);
  }
}

/** @param {any[]} messages @returns {Map<string, any[]>} */
function grouped(messages) {
  const groups = new Map();
  for (const message of messages) groups.set(message.conversation_id, [...(groups.get(message.conversation_id) ?? []), message]);
  return groups;
}
