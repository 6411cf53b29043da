/** Catches up: asks /sync what changed since the last answer, and fetches what is missing within a conversation. */

const CURSORS = 1000;
const PAGE = 50;
const PATIENCE_MS = 500;
const AGAIN_MS = 3_000;

/** Brings a roster up to date; one walk at a time, and one more if it was asked for meanwhile. */
export class Sync {
  #api;
  #roster;
  #onMessages;
  /** @type {Promise<void> | null} */
  #walking = null;
  #wanted = false;
  /** @type {Map<string, Promise<void>>} */
  #fetching = new Map();
  /** @type {Set<any>} */
  #timers = new Set();

  /**
   * @param {{api: (method: string, path: string, options?: any) => Promise<any>, roster: import("./roster.js").Roster,
   *   onMessages: (conversation: import("./conversation.js").Conversation, messages: any[]) => void}} ports
   */
  constructor({ api, roster, onMessages }) {
    this.#api = api;
    this.#roster = roster;
    this.#onMessages = onMessages;
  }

  /** Walks through all that changed; what fails is thrown, and the next walk begins where this one stopped. */
  run() {
    this.#wanted = true;
    this.#walking ??= this.#walk().finally(() => (this.#walking = null));
    return this.#walking;
  }

  async #walk() {
    while (this.#wanted) {
      this.#wanted = false;
      let hasMore = true;
      while (hasMore) {
        const body = { token: this.#roster.token, cursors: this.#cursors() };
        const answer = await this.#api("POST", "/sync", { body, repeatable: true });
        await this.#apply(answer);
        hasMore = answer.has_more;
      }
    }
  }

  /** Beyond what one request may name, the window is given up: what comes then comes as if it were new. */
  #cursors() {
    const loaded = this.#roster.list().filter((conversation) => conversation.low !== null);
    loaded.slice(CURSORS).forEach((conversation) => conversation.forget());
    return Object.fromEntries(loaded.slice(0, CURSORS).map((conversation) => [conversation.id, conversation.cursor]));
  }

  /** @param {any} answer */
  async #apply({ token, conversations, removed, has_more }) {
    const goingOn = new Set(conversations.map((/** @type {any} */ one) => one.conversation.conversation_id));
    for (const id of removed) {
      if (goingOn.has(id)) this.#roster.get(id)?.beginAnew();
      else this.#roster.remove(id);
    }
    for (const { conversation: view, messages, changed, has_more: isFar } of conversations) {
      const isNew = (this.#roster.get(view.conversation_id)?.low ?? null) === null;
      const conversation = this.#roster.put(view);
      conversation.add(changed);
      if (isFar) await this.#jump(conversation);
      else if (isNew) conversation.reset(messages, true);
      else if (messages.length) conversation.addAfter(messages);
      conversation.knowChanges(view.change);
      this.#onMessages(conversation, messages);
    }
    this.#roster.token = token;
    await this.#roster.save();
    if (!has_more) this.#roster.list().forEach((conversation) => this.mend(conversation));
  }

  /** Begins anew at the end: what lies between is history, which is fetched when somebody looks. @param {import("./conversation.js").Conversation} conversation */
  async #jump(conversation) {
    const { messages, has_more } = await this.#api("GET", `/conversations/${conversation.id}/messages?limit=${PAGE}`);
    conversation.reset(messages, has_more);
    this.#onMessages(conversation, messages);
  }

  /**
   * Looks whether something is missing, and fetches it if it is still missing a moment later: frames overtake each other.
   * @param {import("./conversation.js").Conversation} conversation
   */
  mend(conversation) {
    if (!conversation.behind && !conversation.missesChanges) return;
    if (this.#fetching.has(conversation.id)) return;
    const work = this.#pause(PATIENCE_MS)
      .then(() => (conversation.behind ? this.#fill(conversation) : undefined))
      .then(() => (conversation.missesChanges ? this.run() : undefined))
      .catch(() => this.#pause(AGAIN_MS)) // the next connection, or the next event, looks again
      .finally(() => this.#fetching.delete(conversation.id));
    this.#fetching.set(conversation.id, work);
  }

  /** @param {import("./conversation.js").Conversation} conversation */
  async #fill(conversation) {
    if (conversation.low === null) return this.#jump(conversation);
    const { messages, has_more } = await this.#api(
      "GET",
      `/conversations/${conversation.id}/messages?after_seq=${conversation.high}&limit=100`,
    );
    if (has_more) return this.#jump(conversation);
    conversation.addAfter(messages);
    this.#roster.touch(conversation.id);
    this.#onMessages(conversation, messages);
  }

  /** Fetches a page above the window. @param {import("./conversation.js").Conversation} conversation */
  async loadBefore(conversation) {
    if (conversation.atStart || conversation.low === null) return;
    const { messages, has_more } = await this.#api(
      "GET",
      `/conversations/${conversation.id}/messages?before_seq=${conversation.low}&limit=${PAGE}`,
    );
    conversation.addBefore(messages, has_more);
  }

  stop() {
    this.#timers.forEach(clearTimeout);
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => this.#timers.add(setTimeout(resolve, ms)));
  }
}
