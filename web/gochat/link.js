/** Stays connected: opens connections, replaces them before they are cut, comes back when they are lost. */

import { backoffMs } from "./backoff.js";
import { Connection, ConnectionLost } from "./connection.js";
import { SessionEnded } from "./session.js";

const STABLE_MS = 10_000;
// Not all at once: pages that were opened together were connected together.
const EARLIER_MS = 120_000;
const RETIRED_MS = 10_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Keeps one connection of a session; `status` is `connecting`, `online`, `offline` (waiting), `replaced` or `stopped`. */
export class Link {
  #session;
  #WebSocket;
  #random;
  /** @type {Connection | null} */
  #current = null;
  /** @type {any} */
  #timer;
  #attempt = 0;
  #opening = false;
  #replacing = false;
  #running = false;
  status = "stopped";
  /** @type {(status: string) => void} */
  onStatus = () => {};
  /** @type {(event: string, data: any) => void} */
  onEvent = () => {};
  /** Called whenever a connection has become usable, also when it took over from another one. */
  onConnected = () => {};

  /** @param {{session: import("./session.js").Session, WebSocket?: typeof WebSocket, random?: () => number}} ports */
  constructor({ session, WebSocket = globalThis.WebSocket, random = Math.random }) {
    this.#session = session;
    this.#WebSocket = WebSocket;
    this.#random = random;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = 0;
    this.#connect();
  }

  /** @param {string} [status] */
  stop(status = "stopped") {
    this.#running = false;
    clearTimeout(this.#timer);
    const connection = this.#current;
    this.#current = null;
    connection?.close();
    this.#tell(status);
  }

  /** The network is back, or somebody looks at the page: don't wait any longer, and see whether the connection lives. */
  nudge() {
    if (!this.#running) return;
    if (this.#current) this.#current.ping();
    else if (!this.#opening) this.#connect();
  }

  /** The network is gone: a connection that nobody closed would seem to live for minutes. */
  drop() {
    this.#current?.close();
  }

  /** @param {string} action @param {any} data @returns {Promise<any>} */
  request(action, data) {
    return this.#current ? this.#current.request(action, data) : Promise.reject(new ConnectionLost("not connected"));
  }

  /** @param {string} action @param {any} data */
  tell(action, data) {
    this.#current?.tell(action, data);
  }

  async #connect() {
    if (this.#opening || !this.#running) return;
    clearTimeout(this.#timer);
    this.#opening = true;
    this.#tell("connecting");
    try {
      await this.#take(await this.#open());
    } catch (failure) {
      if (failure instanceof SessionEnded) return this.stop();
      if (this.#attempt > 0) await this.#lookAround();
      this.#retry();
    } finally {
      this.#opening = false;
    }
  }

  async #open() {
    const connection = new Connection({
      url: this.#session.websocketUrl,
      token: await this.#session.token(),
      WebSocket: this.#WebSocket,
    });
    connection.onEvent = (event, data) => this.#on(connection, event, data);
    await connection.ready();
    return connection;
  }

  /** Uses a fresh connection from now on; the one before it is listened to until the service closes it. @param {Connection} connection */
  async #take(connection) {
    if (!this.#running) return connection.close();
    const former = this.#current;
    this.#current = connection;
    const since = performance.now();
    connection.onLost = () => this.#lost(connection, since);
    if (former) setTimeout(() => former.close(), RETIRED_MS);
    const left = Date.parse(connection.hello.reconnect_before) - Date.parse(connection.hello.server_time);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#replace(), Math.min(Math.max(left - this.#random() * EARLIER_MS, 1000), LONGEST_TIMER_MS));
    this.#tell("online");
    this.onConnected();
  }

  /** Opens the next connection while this one still works, so that nothing has to wait. */
  async #replace() {
    this.#replacing = true;
    try {
      await this.#take(await this.#open());
    } catch {
      // The old one works for some minutes yet.
      if (this.#current) this.#timer = setTimeout(() => this.#replace(), 30_000 * (0.5 + this.#random()));
    } finally {
      this.#replacing = false;
    }
  }

  /** @param {Connection} connection @param {number} since */
  #lost(connection, since) {
    if (this.#current !== connection) return;
    this.#current = null;
    if (performance.now() - since > STABLE_MS) this.#attempt = 0;
    if (this.#running) this.#retry();
  }

  #retry() {
    if (!this.#running) return;
    this.#tell("offline");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), backoffMs(this.#attempt, this.#random));
    this.#attempt += 1;
  }

  /** A browser doesn't tell why a handshake failed: ask whether the login stands, and which gateways there are. */
  async #lookAround() {
    try {
      await this.#session.api("GET", "/users/me", { attempts: 1 });
      const { gateways } = await this.#session.api("GET", "/gateways", { attempts: 1 });
      const other = gateways.find((/** @type {any} */ one) => one.url !== this.#session.websocketUrl);
      if (other) await this.#session.moveTo(other.url);
    } catch (failure) {
      if (failure instanceof SessionEnded) this.stop();
    }
  }

  /** @param {Connection} connection @param {string} event @param {any} data */
  #on(connection, event, data) {
    if (event === "session.replaced") {
      // Told of a connection that our own next one replaces, it is what was meant to happen; it may overtake that one's ack.
      if (connection === this.#current && !this.#replacing) this.stop("replaced");
    } else if (event === "session.revoked") {
      this.stop();
      this.#session.end("revoked");
    } else if (event === "session.moved") {
      this.#session.moveTo(data.websocket_url);
    } else {
      this.onEvent(event, data);
    }
  }

  /** @param {string} status */
  #tell(status) {
    if (status === this.status) return;
    this.status = status;
    this.onStatus(status);
  }
}
