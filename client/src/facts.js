/**
 * What a page's own script or framework may want to know, as one object that is replaced and never
 * changed: made for `useSyncExternalStore` and its like.
 *
 * @typedef {import("./frames.js").Value} Value
 * @typedef {import("./frames.js").Online} Online
 * @typedef {import("./frames.js").LiveEvent} LiveEvent
 * @typedef {import("./connection.js").State} State
 *
 * @typedef {object} Snapshot
 * @property {State} status
 * @property {boolean} connected
 * @property {Record<string, Value | Online>} values  topic -> the newest one
 * @property {Online | null} online  who is on the site, if that is followed
 * @property {Record<string, LiveEvent[]>} events  topic -> what happened, oldest first
 *
 * @typedef {{topic: string, value?: Value | Online, events?: LiveEvent[]}} Followed
 */

import { tell } from "./environment.js";
import { NOWHERE, topicOf } from "./frames.js";

const SITE = "online:site";

/** As many as the server keeps. */
const MOST = 50;

export class Facts {
  #client;
  /** @type {State} */ #status = "connecting";
  /** @type {Set<() => void>} */ #listeners = new Set();
  /** @type {Set<Followed>} */ #followed = new Set();
  /** @type {Snapshot | null} */ #snapshot = null;

  /** @param {import("./client.js").Client | null} client  null on a page without us */
  constructor(client) {
    this.#client = client;
    client?.watch((status) => {
      this.#status = status;
      this.#changed();
    });
  }

  /** @param {() => void} listener */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** The same object until something has changed. */
  getSnapshot = () => {
    this.#snapshot ??= this.#take();
    return this.#snapshot;
  };

  /**
   * Answers a function that lets go.
   * @param {string} token
   */
  follow = (token) => {
    /** @type {Followed} */
    const fact = { topic: topicOf(token) };
    const note = (/** @type {Omit<Followed, "topic">} */ news) => {
      Object.assign(fact, news);
      this.#changed();
    };
    const value = (/** @type {string} */ _, /** @type {any} */ value) => note({ value });
    this.#followed.add(fact);
    const release = this.#client?.store.subscribe(
      token,
      {
        value,
        online: value,
        whole: value,
        events: (_, events) => note({ events: merged(fact.events ?? [], events) }),
        reset: (_, events) => note({ events }),
      },
      token.startsWith("feed") ? NOWHERE : null,
    );
    return () => {
      release?.();
      this.#followed.delete(fact);
      this.#changed();
    };
  };

  #changed() {
    this.#snapshot = null;
    if (this.#client) tell(this.#client.env.report, this.#listeners);
  }

  /** @returns {Snapshot} */
  #take() {
    /** @type {any} */
    const [values, lists] = [{}, {}];
    for (const { topic, value, events } of this.#followed) {
      if (value !== undefined) values[topic] = value;
      if (events) lists[topic] = events;
    }
    const status = this.#status;
    return { status, connected: status === "live", values, online: values[SITE] ?? null, events: lists };
  }
}

/**
 * @param {LiveEvent[]} known
 * @param {LiveEvent[]} events
 */
function merged(known, events) {
  const news = events.filter(({ seq }) => !known.some((event) => event.seq === seq));
  return [...known, ...news].slice(-MOST);
}
