/**
 * Tells the server what the reader did. It may be told several times; the key makes it count once.
 *
 * @typedef {import("../environment.js").Environment} Environment
 * @typedef {{event: Record<string, any>, progress: Record<string, any>}} Recorded
 * @typedef {{data?: Record<string, any>, target?: string | number, key?: string}} Given
 */

import { backoff } from "../backoff.js";

/** So often it is tried: for half a minute or so. */
const TRIES = 8;

/** What the server would not record. `status` is 0 where it could not be reached at all. */
export class NotRecorded extends Error {
  name = "NotRecorded";

  /**
   * @param {string} kind
   * @param {number} status
   * @param {any} reasons  what the server said, by what it is about
   */
  constructor(kind, status, reasons) {
    super(`${kind}: ${status || "the server could not be reached"}`);
    this.status = status;
    this.reasons = reasons;
  }
}

/**
 * @param {Pick<Environment, "fetch" | "setTimeout" | "random">} env
 * @param {() => {url: string, csrf: string}} address
 * @param {() => string} newKey
 */
export function recorder(env, address, newKey) {
  const rest = (/** @type {number} */ ms) => new Promise((done) => env.setTimeout(() => done(null), ms));

  /**
   * @param {string} kind
   * @param {Given} [given]
   * @returns {Promise<Recorded>}
   */
  return async (kind, { data, target, key = newKey() } = {}) => {
    const body = JSON.stringify({ kind, key, data, target });
    for (let failures = 1; ; failures += 1) {
      const { url, csrf } = address();
      const answer = await env
        .fetch(url, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
          credentials: "same-origin",
          // It arrives although the reader leaves the page.
          keepalive: true,
          body,
        })
        .catch(() => null);
      if (answer?.ok) return answer.json();
      const status = answer?.status ?? 0;
      const maybe = status === 0 || status === 429 || status >= 500;
      if (!maybe || failures === TRIES) {
        throw new NotRecorded(kind, status, await answer?.json().catch(() => null));
      }
      const wanted = Number(answer?.headers.get("Retry-After") ?? 0) * 1000;
      await rest(Math.max(wanted, backoff(failures, env.random)));
    }
  };
}
