/**
 * The way without a socket: ask every few seconds, and let the server say "nothing new" (304).
 *
 * @typedef {import("./environment.js").Environment} Environment
 * @typedef {import("./frames.js").Position} Position
 * @typedef {import("./frames.js").Snapshot} Snapshot
 * @typedef {{topics: string[], position: Position | null}} Request
 *
 * @typedef {object} PollingHandler
 * @property {() => Request[]} requests  what to ask for now, in portions that fit an address
 * @property {(snapshot: Snapshot) => void} snapshot
 * @property {(position: Position | null) => void} polled  all portions answered; seen up to here
 * @property {(error: unknown) => void} failed
 */

import { backoff, jitter } from "./backoff.js";
import { parseSnapshot } from "./frames.js";

const INTERVAL = 5_000;
const ANSWER_WITHIN = 10_000;
const LONGEST_PAUSE = 300_000;

export class Polling {
  #env;
  #url;
  #handler;
  #failures = 0;
  #retryAfter = 0;
  /** @type {any} */ #timer;
  /** @type {AbortController | null} the round under way */ #round = null;
  /** @type {Map<string, string>} address -> ETag, of the last round only */ #tags = new Map();

  /**
   * @param {Environment} env
   * @param {string} url
   * @param {PollingHandler} handler
   */
  constructor(env, url, handler) {
    this.#env = env;
    this.#url = url;
    this.#handler = handler;
  }

  /** Starts within a second, spread: many clients lose their socket in the same moment. */
  start() {
    this.#schedule(this.#env.random() * 1_000);
  }

  /** An answer that is still under way is thrown away. */
  stop() {
    this.#env.clearTimeout(this.#timer);
    this.#round?.abort();
    this.#round = null;
  }

  /** Asks now, if no question is under way. */
  wake() {
    if (!this.#round) this.#schedule(0);
  }

  /** @param {number} ms */
  #schedule(ms) {
    this.#env.clearTimeout(this.#timer);
    this.#timer = this.#env.setTimeout(() => this.#poll(), ms);
  }

  async #poll() {
    // A tab that nobody sees asks nothing; showing it again wakes us.
    if (this.#env.hidden()) return;
    const round = new AbortController();
    this.#round = round;
    const timeout = this.#env.setTimeout(() => round.abort(), ANSWER_WITHIN);
    try {
      const position = await this.#askAll(round.signal);
      if (this.#round !== round) return;
      this.#failures = this.#retryAfter = 0;
      this.#handler.polled(position);
    } catch (error) {
      if (this.#round !== round) return;
      this.#failures += 1;
      this.#handler.failed(error);
    } finally {
      this.#env.clearTimeout(timeout);
    }
    this.#round = null;
    this.#schedule(this.#pause());
  }

  #pause() {
    const pause = jitter(INTERVAL, this.#env.random);
    if (!this.#failures) return pause;
    return Math.max(pause + backoff(this.#failures, this.#env.random), this.#retryAfter);
  }

  /**
   * The portions are answered at different moments, so only the lowest position is seen by all.
   * @param {AbortSignal} signal
   */
  async #askAll(signal) {
    /** @type {Position | null} */
    let lowest = null;
    const tags = new Map();
    for (const request of this.#handler.requests()) {
      const position = await this.#ask(request, tags, signal);
      if (position && (!lowest || position.seq < lowest.seq)) lowest = position;
    }
    this.#tags = tags;
    return lowest;
  }

  /**
   * @param {Request} request
   * @param {Map<string, string>} tags
   * @param {AbortSignal} signal
   */
  async #ask(request, tags, signal) {
    const url = this.#address(request);
    const known = this.#tags.get(url);
    /** @type {HeadersInit} */
    const headers = known ? { "If-None-Match": known } : {};
    const response = await this.#env.fetch(url, { headers, signal, cache: "no-store" });
    const tag = response.status === 304 ? known : response.headers.get("ETag");
    if (tag) tags.set(url, tag);
    if (response.status === 304) return request.position;
    const seconds = Number(response.headers.get("Retry-After")) || 0;
    this.#retryAfter = Math.min(seconds * 1_000, LONGEST_PAUSE);
    const snapshot = response.ok && parseSnapshot(await response.text());
    signal.throwIfAborted();
    if (!snapshot) throw new Error(`${response.status} without a snapshot`);
    this.#handler.snapshot(snapshot);
    return snapshot;
  }

  /** @param {Request} request */
  #address({ topics, position }) {
    const url = new URL(this.#url);
    for (const topic of topics) url.searchParams.append("topic", topic);
    if (position) {
      url.searchParams.set("epoch", position.epoch);
      url.searchParams.set("seq", `${position.seq}`);
    }
    return url.href;
  }
}
