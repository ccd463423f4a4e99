/**
 * The server's time, learned from its frames: the reader's clock may be a day off. One timer turns all
 * relative times of the page.
 *
 * @typedef {import("./environment.js").Environment} Environment
 */

import { tell } from "./environment.js";

const TICK = 10_000;

export class Clock {
  #env;
  /** @type {number | null} */ #offset = null;
  /** @type {Set<() => void>} */ #listeners = new Set();
  /** @type {any} */ #timer = null;

  /** @param {Environment} env */
  constructor(env) {
    this.#env = env;
  }

  /** Milliseconds since 1970 by the server's clock; null until it has told us. */
  now() {
    return this.#offset === null ? null : this.#env.now() + this.#offset;
  }

  /**
   * Takes the `at` of a frame that was just received.
   * @param {string} at
   */
  learn(at) {
    const first = this.#offset === null;
    this.#offset = Date.parse(at) - this.#env.now();
    if (first) this.#tick();
  }

  /**
   * Calls back whenever relative times may read differently. Answers a function that ends it.
   * @param {() => void} listener
   */
  watch(listener) {
    this.#listeners.add(listener);
    this.#timer ??= this.#env.setTimeout(() => this.#tick(), TICK);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #tick() {
    this.#env.clearTimeout(this.#timer);
    this.#timer = this.#listeners.size ? this.#env.setTimeout(() => this.#tick(), TICK) : null;
    tell(this.#env.report, this.#listeners);
  }
}
