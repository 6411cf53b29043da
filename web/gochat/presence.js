/** Who is online and who is writing: told live, kept nowhere. */

const WATCHED_AT_ONCE = 200;
const WATCHED = 1000;
const WRITING_MS = 6_000;
// `typing` takes another way than the message that it announced, and may arrive after it.
const OVERTAKEN_MS = 1_500;
const TELL_WRITING_EVERY_MS = 3_000;

/** Subscribes to users' presence on every connection, and forgets who writes after a while. */
export class Presence {
  #link;
  #onChange;
  /** @type {Set<string>} */
  #watched = new Set();
  /** @type {Map<string, {online: boolean, last_seen: string | null}>} */
  #states = new Map();
  /** By conversation: who writes, and the timer that ends it. @type {Map<string, Map<string, any>>} */
  #writing = new Map();
  #toldWritingAt = -Infinity;
  /** When somebody's message came, by conversation and user. @type {Map<string, number>} */
  #saidAt = new Map();

  /** @param {{link: import("./link.js").Link, onChange: () => void}} ports */
  constructor({ link, onChange }) {
    this.#link = link;
    this.#onChange = onChange;
  }

  /** @param {string} userId */
  of(userId) {
    return this.#states.get(userId);
  }

  /** @param {string} conversationId */
  writers(conversationId) {
    return [...(this.#writing.get(conversationId)?.keys() ?? [])];
  }

  /** Watches users from now on, over this connection and later ones. @param {string[]} userIds */
  watch(userIds) {
    const fresh = userIds.filter((id) => id && !this.#watched.has(id)).slice(0, WATCHED - this.#watched.size);
    fresh.forEach((id) => this.#watched.add(id));
    this.#subscribe(fresh);
  }

  /** A new connection knows of no subscription. */
  resume() {
    this.#subscribe([...this.#watched]);
  }

  /** @param {any} state */
  on({ user_id, online, last_seen }) {
    this.#states.set(user_id, { online, last_seen });
    this.#onChange();
  }

  /** @param {{conversation_id: string, user_id: string}} writing */
  onWriting({ conversation_id, user_id }) {
    if (performance.now() - (this.#saidAt.get(`${conversation_id}/${user_id}`) ?? -Infinity) < OVERTAKEN_MS) return;
    const writers = this.#writing.get(conversation_id) ?? new Map();
    this.#writing.set(conversation_id, writers);
    clearTimeout(writers.get(user_id));
    writers.set(user_id, setTimeout(() => this.#stopsWriting(conversation_id, user_id), WRITING_MS));
    this.#onChange();
  }

  /** @param {string} conversationId @param {string} userId */
  #stopsWriting(conversationId, userId) {
    const writers = this.#writing.get(conversationId);
    if (!writers?.has(userId)) return;
    clearTimeout(writers.get(userId));
    writers.delete(userId);
    this.#onChange();
  }

  /** Somebody's message came: they write no more. @param {string} conversationId @param {string} userId */
  onMessage(conversationId, userId) {
    this.#saidAt.set(`${conversationId}/${userId}`, performance.now());
    this.#stopsWriting(conversationId, userId);
  }

  /** Tells the others that this user writes, every few seconds. @param {string} conversationId */
  tellWriting(conversationId) {
    if (performance.now() - this.#toldWritingAt < TELL_WRITING_EVERY_MS) return;
    this.#toldWritingAt = performance.now();
    this.#link.tell("typing", { conversation_id: conversationId });
  }

  /** The line was sent: the next one is told of at once. */
  doneWriting() {
    this.#toldWritingAt = -Infinity;
  }

  /** @param {string[]} userIds */
  async #subscribe(userIds) {
    for (let at = 0; at < userIds.length; at += WATCHED_AT_ONCE) {
      const user_ids = userIds.slice(at, at + WATCHED_AT_ONCE);
      try {
        const { states } = await this.#link.request("presence.subscribe", { user_ids });
        states.forEach((/** @type {any} */ state) => this.on(state));
      } catch {
        return; // the next connection asks again
      }
    }
  }
}
