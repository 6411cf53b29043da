/** Tells the service how far this device has each conversation, and how far its user has read: each place once. */

const TOGETHER_MS = 250;

/** Sends `message.delivered` and `message.read`, a moment after the last message of a burst, and again until acknowledged. */
export class Marks {
  #request;
  #roster;
  /** @type {Map<string, {delivered: number, read: number}>} */
  #wanted = new Map();
  /** @type {any} */
  #timer;

  /** @param {{request: (action: string, data: any) => Promise<any>, roster: import("./roster.js").Roster}} ports */
  constructor({ request, roster }) {
    this.#request = request;
    this.#roster = roster;
  }

  /** This device has everything up to here. @param {import("./conversation.js").Conversation} conversation @param {number} seq */
  delivered(conversation, seq) {
    this.#want(conversation.id, { delivered: seq, read: 0 });
  }

  /** The user has read everything up to here. @param {import("./conversation.js").Conversation} conversation @param {number} seq */
  read(conversation, seq) {
    conversation.view.read_seq = Math.max(conversation.view.read_seq, seq);
    this.#want(conversation.id, { delivered: seq, read: seq });
  }

  /** Sends what is not acknowledged; called again whenever there is a connection. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [id, { delivered, read }] of this.#wanted) {
      const conversation = this.#roster.get(id);
      // Reading tells of the delivery, too.
      if (conversation && read > conversation.toldRead) this.#tell(conversation, "message.read", read);
      else if (conversation && delivered > conversation.toldDelivered) this.#tell(conversation, "message.delivered", delivered);
      else this.#wanted.delete(id);
    }
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** @param {import("./conversation.js").Conversation} conversation @param {string} action @param {number} seq */
  async #tell(conversation, action, seq) {
    try {
      await this.#request(action, { conversation_id: conversation.id, seq });
    } catch {
      return; // without a connection, or refused: the next flush tells it
    }
    conversation.toldDelivered = Math.max(conversation.toldDelivered, seq);
    if (action === "message.read") conversation.toldRead = Math.max(conversation.toldRead, seq);
    this.#roster.touch(conversation.id);
    // What came meanwhile, and what has come further than it was read, is still to be told.
    this.#timer ??= setTimeout(() => this.flush(), TOGETHER_MS);
  }

  /** @param {string} id @param {{delivered: number, read: number}} mark */
  #want(id, { delivered, read }) {
    const known = this.#wanted.get(id) ?? { delivered: 0, read: 0 };
    this.#wanted.set(id, { delivered: Math.max(known.delivered, delivered), read: Math.max(known.read, read) });
    this.#timer ??= setTimeout(() => this.flush(), TOGETHER_MS);
  }
}
