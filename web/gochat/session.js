/** One login of this browser: the tokens, their renewal, and the end.
 *
 * The access token lives in memory alone. The refresh token lies in IndexedDB: script of this origin could read it there,
 * as it could anywhere but in a cookie that it can't touch, which a service on another origin can't set. What guards it is
 * that no foreign script gets in (a strict Content-Security-Policy, no markup made from text), that it works once, and that
 * a second use ends the login.
 */

import { Problem } from "./rest.js";

const STORE = "session";
const RENEW_BEFORE_MS = 60_000;

/** The login is over; `reason` is `logout`, `revoked` or `expired`. */
export class SessionEnded extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(`This login has ended (${reason}).`);
    this.reason = reason;
  }
}

/** Holds the tokens; `onEnded` is told once when the login is over. */
export class Session {
  #rest;
  #storage;
  #now;
  #newId;
  /** @type {{refresh_token: string, refresh_key?: string, user: any, websocket_url: string} | null} */
  #login = null;
  #accessToken = "";
  #expiresAtMs = 0;
  /** @type {Promise<void> | null} */
  #refreshing = null;
  /** @type {(reason: string) => void} */
  onEnded = () => {};
  deviceId = "";

  /** @param {{rest: import("./rest.js").Rest, storage: any, now?: () => number, newId?: () => string}} ports */
  constructor({ rest, storage, now = Date.now, newId = () => crypto.randomUUID() }) {
    this.#rest = rest;
    this.#storage = storage;
    this.#now = now;
    this.#newId = newId;
  }

  get user() {
    return this.#login?.user ?? null;
  }

  get websocketUrl() {
    return this.#login?.websocket_url ?? "";
  }

  /** Takes up the login that a former page of this browser kept; tells whether there is one. */
  async restore() {
    for (const row of await this.#storage.readAll(STORE)) {
      if (row.device_id) this.deviceId = row.device_id;
      else this.#login = row;
    }
    if (!this.deviceId) {
      this.deviceId = `web-${this.#newId()}`;
      await this.#storage.write([{ store: STORE, key: "device", value: { device_id: this.deviceId } }]);
    }
    return this.#login !== null;
  }

  /** @param {string} username @param {string} password */
  async login(username, password) {
    const body = { username, password, device_id: this.deviceId, platform: "web" };
    await this.#adopt(await this.#rest.call("POST", "/auth/login", { body }));
  }

  /** @param {string} username @param {string} password @param {string} [displayName] */
  async register(username, password, displayName) {
    await this.#rest.call("POST", "/auth/register", { body: { username, password, display_name: displayName || null } });
    await this.login(username, password);
  }

  /** Ends the login here; the service is told if it can be reached. @param {boolean} [allDevices] */
  async logout(allDevices = false) {
    try {
      await this.api("POST", "/auth/logout", { body: { all_devices: allDevices } });
    } finally {
      await this.end("logout");
    }
  }

  /** Forgets the tokens. @param {string} reason */
  async end(reason) {
    if (!this.#login) return;
    this.#login = null;
    this.#accessToken = "";
    await this.#storage.write([{ store: STORE, key: "login" }]);
    this.onEnded(reason);
  }

  /** Gives an access token that is good for a while yet. @returns {Promise<string>} */
  async token() {
    if (!this.#accessToken || this.#now() > this.#expiresAtMs - RENEW_BEFORE_MS) await this.refresh();
    return this.#accessToken;
  }

  /** Calls the API as this login; a token that is refused is renewed once. @param {string} method @param {string} path @param {any} [options] @returns {Promise<any>} */
  async api(method, path, options = {}) {
    const token = await this.token();
    try {
      return await this.#rest.call(method, path, { ...options, token });
    } catch (failure) {
      if (!(failure instanceof Problem) || !["unauthenticated", "token_expired"].includes(failure.code)) throw failure;
      if (token === this.#accessToken) await this.refresh();
      return this.#rest.call(method, path, { ...options, token: this.#accessToken });
    }
  }

  /** Follows the service to another gateway. @param {string} url */
  async moveTo(url) {
    if (!this.#login || !url) return;
    this.#login = { ...this.#login, websocket_url: url };
    await this.#save();
  }

  /** Renews the tokens; however many ask at once, one request goes out. */
  refresh() {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #refresh() {
    if (!this.#login) throw new SessionEnded("logout");
    // The key is kept before it is used: should the answer get lost, with this page even, the same key and token give
    // the same pair again. Another key would look like theft, and end the login.
    if (!this.#login.refresh_key) {
      this.#login = { ...this.#login, refresh_key: this.#newId() };
      await this.#save();
    }
    const { refresh_token, refresh_key } = this.#login;
    try {
      await this.#adopt(await this.#rest.call("POST", "/auth/refresh", { body: { refresh_token }, idempotencyKey: refresh_key }));
    } catch (failure) {
      if (!(failure instanceof Problem) || failure.status !== 401) throw failure;
      await this.end("revoked");
      throw new SessionEnded("revoked");
    }
  }

  /** @param {any} answer */
  async #adopt({ access_token, refresh_token, expires_in, user, websocket_url }) {
    this.#login = { refresh_token, user, websocket_url };
    this.#accessToken = access_token;
    this.#expiresAtMs = this.#now() + expires_in * 1000;
    await this.#save();
  }

  async #save() {
    await this.#storage.write([{ store: STORE, key: "login", value: this.#login }]);
  }
}
