/**
 * The page's one way to the server: a socket where one can be had, polling where not, and the truth
 * about which of them works. The state is never set by hand; it follows from the facts.
 *
 * @typedef {import("./environment.js").Environment} Environment
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {import("./frames.js").ServerFrame} ServerFrame
 * @typedef {"connecting" | "live" | "reconnecting" | "polling" | "stale"} State
 *
 * @typedef {object} OwnHandler
 * @property {() => void} opened  a new socket knows nothing yet: subscribe
 * @property {(frame: ServerFrame) => void} received
 * @property {(state: State) => void} changed
 * @typedef {OwnHandler & Omit<import("./polling.js").PollingHandler, "failed">} ConnectionHandler
 */

import { backoff, CAP, PATIENT_CAP } from "./backoff.js";
import { isFinal } from "./frames.js";
import { Polling } from "./polling.js";
import { Socket } from "./socket.js";

/** Without any success for so long, the numbers on the page are called stale. */
const STALE_AFTER = 15_000;

/** A socket that lived shorter than this counts as a failure, or a server that drops us gets a storm. */
const STEADY_AFTER = 10_000;

export class Connection {
  #env;
  #settings;
  #handler;
  #polling;
  /** @type {State} */ #state = "connecting";
  /** @type {Socket | null} */ #socket = null;
  #running = false;
  #refused = false;
  #live = false;
  #liveSince = 0;
  #failures = 0;
  #pollingOn = false;
  #pollingWorks = false;
  #everWorked = false;
  #stale = false;
  /** @type {any} */ #retryTimer;
  /** @type {any} */ #staleTimer;

  /**
   * @param {Environment} env
   * @param {Settings} settings
   * @param {ConnectionHandler} handler
   */
  constructor(env, settings, handler) {
    this.#env = env;
    this.#settings = settings;
    this.#handler = handler;
    this.#polling = new Polling(env, settings.snapshot, {
      ...handler,
      polled: (position) => this.#polled(position),
      failed: () => this.#pollFailed(),
    });
  }

  get state() {
    return this.#state;
  }

  /** What was heard last is still true. */
  get works() {
    return this.#live || this.#pollingWorks;
  }

  get running() {
    return this.#running;
  }

  /** The state stays what it was until something is known. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#refused ||= !this.#settings.socket;
    this.#waitForStale();
    if (this.#refused) this.#poll();
    else this.#open();
  }

  stop() {
    this.#running = this.#live = false;
    this.#env.clearTimeout(this.#retryTimer);
    this.#env.clearTimeout(this.#staleTimer);
    this.#socket?.close();
    this.#socket = null;
    this.#stopPolling();
  }

  /** The tab is seen again, or the network is back: find out at once how things stand. */
  wake() {
    if (!this.#running) return;
    if (this.#live) this.#socket?.ping();
    else if (!this.#socket && !this.#refused) this.#open();
    if (this.#pollingOn) this.#polling.wake();
  }

  /** Something new is wanted: do not let it wait for the next round of polling. */
  hurry() {
    if (this.#pollingOn) this.#polling.wake();
  }

  /** @param {string} text */
  send(text) {
    this.#socket?.send(text);
  }

  #open() {
    this.#env.clearTimeout(this.#retryTimer);
    try {
      this.#socket = new Socket(this.#env, this.#settings.socket, {
        opened: () => this.#handler.opened(),
        received: (frame) => this.#received(frame),
        closed: (code) => this.#closed(code),
      });
    } catch {
      // A content security policy may forbid the socket by an exception.
      this.#closed(0);
    }
  }

  /** @param {ServerFrame} frame */
  #received(frame) {
    if (!this.#live) {
      this.#live = true;
      this.#liveSince = this.#env.now();
      this.#stopPolling();
      this.#worked();
    }
    this.#handler.received(frame);
  }

  /** @param {number} code */
  #closed(code) {
    this.#socket = null;
    const wasLive = this.#live;
    this.#live = false;
    if (wasLive) this.#waitForStale();
    const steady = wasLive && this.#env.now() - this.#liveSince >= STEADY_AFTER;
    this.#refused = isFinal(code);
    if (!wasLive || this.#refused) this.#poll();
    if (!this.#refused) this.#retry(steady);
    this.#update();
  }

  /** @param {boolean} steady */
  #retry(steady) {
    if (steady) this.#failures = 0;
    const cap = this.#pollingWorks ? PATIENT_CAP : CAP;
    const pause = backoff(this.#failures, this.#env.random, cap);
    this.#failures += 1;
    this.#retryTimer = this.#env.setTimeout(() => this.#open(), pause);
  }

  #poll() {
    if (this.#pollingOn || !this.#settings.snapshot) return;
    this.#pollingOn = true;
    this.#polling.start();
  }

  #stopPolling() {
    this.#pollingOn = this.#pollingWorks = false;
    this.#polling.stop();
  }

  /** @param {import("./frames.js").Position | null} position */
  #polled(position) {
    this.#pollingWorks = true;
    this.#worked();
    this.#waitForStale();
    this.#handler.polled(position);
  }

  #pollFailed() {
    this.#pollingWorks = false;
    this.#update();
  }

  #worked() {
    this.#env.clearTimeout(this.#staleTimer);
    this.#stale = false;
    this.#everWorked = true;
    this.#update();
  }

  #waitForStale() {
    this.#env.clearTimeout(this.#staleTimer);
    this.#staleTimer = this.#env.setTimeout(() => {
      this.#stale = true;
      this.#update();
    }, STALE_AFTER);
  }

  #update() {
    const state = this.#judge();
    if (state === this.#state) return;
    this.#state = state;
    this.#handler.changed(state);
  }

  /** @returns {State} */
  #judge() {
    if (this.#live) return "live";
    if (this.#stale) return "stale";
    if (this.#pollingWorks) return "polling";
    return this.#everWorked ? "reconnecting" : "connecting";
  }
}
