/**
 * Puts the parts together: what one page has one of.
 *
 * @typedef {import("./environment.js").Environment} Environment
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {import("./connection.js").State} State
 */

import { Animation } from "./animation.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { Format } from "./format.js";
import { Store } from "./store.js";

export class Client {
  /** @type {Set<(state: State) => void>} */ #watchers = new Set();

  /**
   * @param {Environment} env
   * @param {Settings} settings
   */
  constructor(env, settings) {
    this.env = env;
    this.texts = settings.texts;
    this.animation = new Animation(env);
    this.clock = new Clock(env);
    this.format = new Format(settings.language);
    this.connection = new Connection(env, settings, {
      opened: () => this.store.opened(),
      requests: () => this.store.requests(),
      polled: (position) => this.store.polled(position),
      changed: (state) => this.#changed(state),
      received: (frame) => {
        if ("at" in frame) this.clock.learn(frame.at);
        this.store.received(frame);
      },
      snapshot: (snapshot) => {
        this.clock.learn(snapshot.at);
        this.store.snapshot(snapshot);
      },
    });
    this.store = new Store(this.#line(), env.report);
  }

  /** @returns {import("./store.js").Line} */
  #line() {
    const { connection } = this;
    return {
      start: () => connection.start(),
      stop: () => connection.stop(),
      hurry: () => connection.hurry(),
      send: (text) => connection.send(text),
      fresh: () => connection.state === "live" || connection.state === "polling",
    };
  }

  /**
   * Tells the state now and whenever it changes. Answers a function that ends it.
   * @param {(state: State) => void} watcher
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.connection.state);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** @param {State} state */
  #changed(state) {
    for (const watcher of this.#watchers) {
      try {
        watcher(state);
      } catch (error) {
        this.env.report(error);
      }
    }
  }
}
