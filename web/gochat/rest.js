/** Calls the REST API: problems become errors, and what may be repeated is, for a while. */

import { backoffMs } from "./backoff.js";

const ATTEMPTS = 4;
const TIMEOUT_MS = 30_000;
const LONGEST_WAIT_MS = 10_000;

/** The service refused, with one of the codes of docs/errors.md. */
export class Problem extends Error {
  /** @param {number} status @param {{code?: string, detail?: string, request_id?: string, errors?: any[]}} body @param {number} [retryAfterS] */
  constructor(status, body, retryAfterS) {
    super(body.detail || body.code || `the service answered ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    this.requestId = body.request_id ?? "";
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may succeed later: the platform's own refusals have no code. */
  get retryable() {
    return ["unavailable", "rate_limited", "internal_error", ""].includes(this.code) && (this.status >= 500 || this.status === 429);
  }
}

/** No answer came: no network, or nobody there. */
export class Unreachable extends Error {}

/** Speaks HTTP and JSON; knows nothing of logins. */
export class Rest {
  #base;
  #fetch;
  #sleep;

  /** @param {{apiUrl: string, fetch?: typeof fetch, sleep?: (ms: number) => Promise<void>}} ports */
  constructor({ apiUrl, fetch = globalThis.fetch.bind(globalThis), sleep = pause }) {
    this.#base = `${apiUrl.replace(/\/+$/, "")}/api/v1`;
    this.#fetch = fetch;
    this.#sleep = sleep;
  }

  /**
   * Gives the answer's body, null for none; throws Problem or Unreachable.
   *
   * Repeats what failed for a passing reason, if that is safe: reads, and writes under an idempotency key;
   * `repeatable` says it of a call that writes nothing.
   * @param {string} method
   * @param {string} path
   * @param {{body?: any, token?: string, idempotencyKey?: string, repeatable?: boolean, attempts?: number}} [options]
   * @returns {Promise<any>}
   */
  async call(method, path, { body, token, idempotencyKey, repeatable = false, attempts = ATTEMPTS } = {}) {
    const isSafe = repeatable || method === "GET" || idempotencyKey !== undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(method, path, { body, token, idempotencyKey });
      } catch (failure) {
        const passing = failure instanceof Unreachable || (failure instanceof Problem && failure.retryable);
        if (!passing || !isSafe || attempt >= attempts) throw failure;
        const asked = failure instanceof Problem && failure.retryAfterS ? failure.retryAfterS * 1000 : 0;
        await this.#sleep(Math.min(Math.max(asked, backoffMs(attempt)), LONGEST_WAIT_MS));
      }
    }
  }

  /** @param {string} method @param {string} path @param {{body?: any, token?: string, idempotencyKey?: string}} options */
  async #once(method, path, { body, token, idempotencyKey }) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token) headers.authorization = `Bearer ${token}`;
    if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;
    let response, text;
    try {
      response = await this.#fetch(this.#base + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
      text = await response.text();
    } catch (failure) {
      throw new Unreachable("The service can't be reached.", { cause: failure });
    }
    const parsed = parse(text);
    if (response.ok) return parsed;
    throw new Problem(response.status, parsed ?? {}, Number(response.headers.get("retry-after")) || undefined);
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
