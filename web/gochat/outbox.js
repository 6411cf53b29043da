/** Holds what the user sent until the service says that it is stored or refused; it outlives the page.
 *
 * A message is kept before it is shown, and sent again under the same `client_msg_id` until `message.stored` or
 * `message.rejected`: however often that is, it is stored once. Of each conversation one is unacknowledged at a time, as
 * the platform does not promise that two frames keep their order.
 */

import { ConnectionLost, Refused } from "./connection.js";

const STORE = "outbox";
// An accepted message is safe; asking again is for an answer that got lost.
const ASK_AGAIN_MS = 15_000;
const RETRY_MS = 2_000;

/**
 * `state`: queued, sent (unacknowledged), waiting (to be sent again), accepted (the broker holds it), failed (refused for good; `code` says why).
 * @typedef {{client_msg_id: string, conversation_id: string, type: string, content: any, reply_to_seq: number | null,
 *   mentions: string[], created_at: string, order: number, state: string, code?: string}} Draft
 */

/** Decides what is sent when; `request` sends a frame, `onSettled` is told of what was stored. */
export class Outbox {
  #storage;
  #request;
  #onChange;
  /** @type {Draft[]} */
  #drafts = [];
  /** @type {Map<string, any>} */
  #timers = new Map();

  /** @param {{storage: any, request: (action: string, data: any) => Promise<any>, onChange: (conversationId: string) => void}} ports */
  constructor({ storage, request, onChange }) {
    this.#storage = storage;
    this.#request = request;
    this.#onChange = onChange;
  }

  async restore() {
    const kept = /** @type {Draft[]} */ (await this.#storage.readAll(STORE));
    this.#drafts = kept.map((draft) => (draft.state === "failed" ? draft : { ...draft, state: "queued" }));
    this.#drafts.sort((a, b) => a.order - b.order);
  }

  /** @param {string} conversationId */
  drafts(conversationId) {
    return this.#drafts.filter((draft) => draft.conversation_id === conversationId);
  }

  get isEmpty() {
    return this.#drafts.every((draft) => draft.state === "failed");
  }

  /**
   * Takes a message to send; once this has returned, no reload loses it.
   * @param {string} conversationId @param {{type?: string, content: any, reply_to_seq?: number | null, mentions?: string[]}} message
   */
  async post(conversationId, { type = "text", content, reply_to_seq = null, mentions = [] }) {
    const order = Math.max(Date.now(), (this.#drafts.at(-1)?.order ?? 0) + 1);
    const created_at = new Date().toISOString();
    const client_msg_id = crypto.randomUUID();
    /** @type {Draft} */
    const draft = { client_msg_id, conversation_id: conversationId, type, content, reply_to_seq, mentions, created_at, order, state: "queued" };
    this.#drafts.push(draft);
    await this.#save(draft);
    this.#onChange(conversationId);
    this.flush();
    return client_msg_id;
  }

  /** Tries a refused message once more, as a new one: of a refused one nothing was stored. @param {string} clientMsgId */
  async retry(clientMsgId) {
    const draft = this.#find(clientMsgId);
    if (!draft) return;
    await this.discard(clientMsgId);
    await this.post(draft.conversation_id, draft);
  }

  /** @param {string} clientMsgId */
  async discard(clientMsgId) {
    await this.#remove(clientMsgId);
  }

  /** Sends whatever may be sent now. */
  flush() {
    const isBusy = (/** @type {Draft} */ { state }) => state === "sent" || state === "waiting";
    const busy = new Set(this.#drafts.filter(isBusy).map((draft) => draft.conversation_id));
    for (const draft of this.#drafts) {
      if (draft.state !== "queued" || busy.has(draft.conversation_id)) continue;
      busy.add(draft.conversation_id);
      this.#send(draft);
    }
  }

  /** A connection is there: whatever was not settled over the one before is sent again. */
  resend() {
    for (const draft of this.#drafts) if (draft.state === "accepted" || draft.state === "waiting") draft.state = "queued";
    this.flush();
  }

  /** Notes that a message is stored: told by the service, or seen in the history. @param {string} clientMsgId @returns {Promise<Draft | undefined>} */
  async settle(clientMsgId) {
    const draft = this.#find(clientMsgId);
    if (draft) await this.#remove(clientMsgId);
    return draft;
  }

  /** @param {string} clientMsgId @param {string} code */
  async reject(clientMsgId, code) {
    const draft = this.#find(clientMsgId);
    if (!draft) return;
    Object.assign(draft, { state: "failed", code });
    this.#clearTimer(clientMsgId);
    await this.#save(draft);
    this.#onChange(draft.conversation_id);
    this.flush();
  }

  /** @param {Draft} draft */
  async #send(draft) {
    draft.state = "sent";
    const { client_msg_id, conversation_id, type, content, reply_to_seq, mentions } = draft;
    try {
      await this.#request("message.send", { client_msg_id, conversation_id, type, content, reply_to_seq, mentions });
      if (draft.state === "sent") this.#accepted(draft);
    } catch (failure) {
      if (failure instanceof Refused && !failure.retryable) return this.reject(client_msg_id, failure.code);
      if (!(failure instanceof Refused || failure instanceof ConnectionLost)) throw failure;
      if (draft.state !== "sent") return;
      // The next connection sends it; while this one lasts, a little later.
      draft.state = "waiting";
      return this.#later(draft, (failure instanceof Refused && failure.retryAfterMs) || RETRY_MS);
    }
    this.#onChange(conversation_id);
    this.flush();
  }

  /** @param {Draft} draft */
  #accepted(draft) {
    draft.state = "accepted";
    this.#later(draft, ASK_AGAIN_MS);
  }

  /** @param {Draft} draft @param {number} ms */
  #later(draft, ms) {
    this.#clearTimer(draft.client_msg_id);
    const again = () => {
      if (draft.state === "accepted" || draft.state === "waiting") draft.state = "queued";
      this.flush();
    };
    this.#timers.set(draft.client_msg_id, setTimeout(again, ms));
  }

  /** @param {string} clientMsgId */
  #find(clientMsgId) {
    return this.#drafts.find((draft) => draft.client_msg_id === clientMsgId);
  }

  /** @param {Draft} draft */
  async #save(draft) {
    await this.#storage.write([{ store: STORE, key: draft.client_msg_id, value: draft }]);
  }

  /** @param {string} clientMsgId */
  async #remove(clientMsgId) {
    const draft = this.#find(clientMsgId);
    this.#clearTimer(clientMsgId);
    this.#drafts = this.#drafts.filter((one) => one !== draft);
    await this.#storage.write([{ store: STORE, key: clientMsgId }]);
    if (draft) this.#onChange(draft.conversation_id);
    this.flush();
  }

  stop() {
    for (const clientMsgId of [...this.#timers.keys()]) this.#clearTimer(clientMsgId);
  }

  /** @param {string} clientMsgId */
  #clearTimer(clientMsgId) {
    clearTimeout(this.#timers.get(clientMsgId));
    this.#timers.delete(clientMsgId);
  }
}
