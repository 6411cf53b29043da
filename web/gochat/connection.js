/** One open WebSocket: its frames and their answers, its heartbeat, its pace; it does not come back by itself. */

const SUBPROTOCOL = "gochat.v1";
const OPEN_TIMEOUT_MS = 15_000;
const ANSWER_TIMEOUT_MS = 15_000;
const PONG_TIMEOUT_MS = 10_000;
// Well below what a user may send (20 frames a second, 60 at once), as a user may have several devices.
const BURST = 30;
const FRAMES_PER_S = 10;

/** The connection is gone, or no answer came: whether the frame arrived is not known. */
export class ConnectionLost extends Error {}

/** The service refused a frame; it had no effect. */
export class Refused extends Error {
  /** @param {{code: string, message: string, retryable: boolean, retry_after_ms?: number}} error */
  constructor({ code, message, retryable, retry_after_ms = 0 }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retry_after_ms;
  }
}

/** Speaks over one socket; `onEvent` gets what was not asked for, `onLost` is called once, at the end. */
export class Connection {
  #socket;
  /** @type {Map<string, {resolve: (data: any) => void, reject: (failure: Error) => void, timer: any}>} */
  #waiting = new Map();
  /** @type {string[]} */
  #queue = [];
  #allowance = BURST;
  #refilledAtMs = performance.now();
  /** @type {any} */
  #pacer;
  /** @type {any} */
  #heartbeat;
  /** @type {any} */
  #deadline;
  #frames = 0;
  #pingIntervalMs = 60_000;
  #ended = false;
  #wasOpen = false;
  /** @type {(event: string, data: any) => void} */
  onEvent = () => {};
  /** @type {(wasOpen: boolean) => void} */
  onLost = () => {};
  /** What `hello` answered. @type {any} */
  hello = null;

  /** @param {{url: string, token: string, WebSocket?: typeof WebSocket}} options */
  constructor({ url, token, WebSocket = globalThis.WebSocket }) {
    // A token in the URL would end up in logs; a subprotocol is a header, and the one that a browser can set.
    this.#socket = new WebSocket(url, [SUBPROTOCOL, `bearer.${token}`]);
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = () => this.#end();
    this.#socket.onerror = () => {};
  }

  /** Waits until the connection can be used: open, and told its limits; throws ConnectionLost. */
  async ready() {
    const opened = new Promise((resolve, reject) => {
      this.#socket.onopen = () => resolve(undefined);
      this.#waiting.set("open", { resolve: () => {}, reject, timer: setTimeout(() => this.close(), OPEN_TIMEOUT_MS) });
    });
    await opened;
    clearTimeout(this.#waiting.get("open")?.timer);
    this.#waiting.delete("open");
    this.#wasOpen = true;
    this.hello = await this.request("hello", {});
    this.#pingIntervalMs = this.hello.ping_interval_s * 1000;
    this.#heartbeat = setInterval(() => this.ping(), this.#pingIntervalMs);
    return this.hello;
  }

  /**
   * Sends a frame and gives the data of its ack; throws Refused or ConnectionLost.
   * @param {string} action @param {any} data @returns {Promise<any>}
   */
  request(action, data) {
    const id = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new ConnectionLost("not connected"));
      const timer = setTimeout(() => this.#settle(id)?.reject(new ConnectionLost("no answer")), ANSWER_TIMEOUT_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#enqueue(JSON.stringify({ action, id, data }));
    });
  }

  /** Sends a frame that has no answer, unless it would have to wait. @param {string} action @param {any} data */
  tell(action, data) {
    if (!this.#ended && this.hello && !this.#queue.length) this.#enqueue(JSON.stringify({ action, id: crypto.randomUUID(), data }));
  }

  /** Asks for a sign of life, and gives the connection up if none comes. */
  ping() {
    if (this.#ended || !this.hello || this.#deadline) return;
    this.#socket.send('{"action":"ping"}');
    const before = this.#frames;
    this.#deadline = setTimeout(() => {
      this.#deadline = undefined;
      if (this.#frames === before) this.close();
    }, PONG_TIMEOUT_MS);
  }

  /** Ends the connection now: a closing handshake with somebody who is gone would take a minute. */
  close() {
    this.#socket.close(1000);
    this.#end();
  }

  /** @param {string} text */
  #enqueue(text) {
    this.#queue.push(text);
    this.#drain();
  }

  #drain() {
    const now = performance.now();
    this.#allowance = Math.min(BURST, this.#allowance + ((now - this.#refilledAtMs) / 1000) * FRAMES_PER_S);
    this.#refilledAtMs = now;
    while (this.#queue.length && this.#allowance >= 1 && !this.#ended) {
      this.#allowance -= 1;
      this.#socket.send(/** @type {string} */ (this.#queue.shift()));
    }
    clearTimeout(this.#pacer);
    if (this.#queue.length && !this.#ended) this.#pacer = setTimeout(() => this.#drain(), 1000 / FRAMES_PER_S);
  }

  /** @param {string} text */
  #receive(text) {
    if (this.#ended) return;
    this.#frames += 1;
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    // A frame without `event` was made by the platform: the request behind it is as good as unanswered.
    if (frame.event === "ack") this.#settle(frame.id)?.resolve(frame.data);
    else if (frame.event === "error") this.#settle(frame.id)?.reject(new Refused(frame.error));
    else if (frame.event && frame.event !== "pong") this.onEvent(frame.event, frame.data);
  }

  /** @param {string} id */
  #settle(id) {
    const waiting = this.#waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    clearTimeout(this.#pacer);
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new ConnectionLost("the connection ended"));
    this.onLost(this.#wasOpen);
  }
}
