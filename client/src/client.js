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
import { tell } from "./environment.js";
import { Format } from "./format.js";
import { SharedSocket } from "./sharing.js";
import { Store } from "./store.js";
import { visitor } from "./visitor.js";

export class Client {
  /** @type {Set<(state: State) => void>} */ #watchers = new Set();

  /**
   * @param {Environment} env
   * @param {Settings} settings
   */
  constructor(env, settings) {
    this.env = env;
    this.text = settings.text;
    this.animation = new Animation(env);
    this.clock = new Clock(env);
    this.format = new Format(settings.language);
    const known = visitor(env, settings.visitor);
    const openSocket = (/** @type {string} */ url) => new SharedSocket(env, url, settings.viewer, known);
    this.connection = new Connection({ ...env, openSocket }, settings, {
      opened: () => this.store.opened(),
      requests: () => this.store.requests(),
      polled: (position) => this.store.polled(position),
      changed: (state) => tell(env.report, this.#watchers, state),
      received: (frame) => {
        if ("at" in frame) this.clock.learn(frame.at);
        this.store.received(frame);
      },
      snapshot: (snapshot) => {
        this.clock.learn(snapshot.at);
        this.store.snapshot(snapshot);
      },
    });
    this.store = new Store(this.connection, env.report);
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
}
