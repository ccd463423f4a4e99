/**
 * What the page's elements want, gathered into one connection: topic -> subscribers. Several elements
 * on one topic share one subscription, and what many elements ask in one go is sent in one go.
 *
 * @typedef {import("./frames.js").Value} Value
 * @typedef {import("./frames.js").Online} Online
 * @typedef {import("./frames.js").Position} Position
 * @typedef {import("./frames.js").LiveEvent} LiveEvent
 * @typedef {import("./frames.js").ServerFrame} ServerFrame
 * @typedef {import("./frames.js").Snapshot} Snapshot
 *
 * @typedef {object} Subscriber
 * @property {(topic: string, value: Value) => void} [value]
 * @property {(topic: string, value: Online) => void} [online]
 * @property {(topic: string, value: any) => void} [whole]  what is neither
 * @property {(topic: string, events: LiveEvent[], epoch: string) => void} [events]  oldest first
 * @property {(topic: string, events: LiveEvent[], epoch: string) => void} [reset]  the whole list
 *
 * @typedef {object} Entry
 * @property {string} token
 * @property {Set<Subscriber>} subscribers
 * @property {boolean} feed  only feeds resume; of a counter the newest value is all there is
 * @property {Position | null} since  where this feed must resume, until the server has answered that
 * @property {Value | Online | undefined} value  the last one heard
 *
 * @typedef {object} Line  the connection, as far as the store needs it
 * @property {() => void} start
 * @property {() => void} stop
 * @property {() => void} hurry
 * @property {(text: string) => void} send
 * @property {boolean} works  what was heard last is still true
 */

import { tell } from "./environment.js";
import { isOnline, isValue, presence, subscribe, topicOf, unsubscribe } from "./frames.js";

/** Topics to a request: their tokens must fit the address line that servers accept (4 kB). */
const PORTION = 30;

export class Store {
  #line;
  #report;
  /** @type {Map<string, Entry>} */ #entries = new Map();
  /** @type {Set<string>} topics that the server has been told of, on this socket */ #told = new Set();
  /** @type {Set<string>} topics to tell it about */ #due = new Set();
  /** @type {Map<string, number>} room -> how many elements are in it */ #rooms = new Map();
  /** @type {Position | null} the newest of any frame: everything up to here was seen */ #seen = null;

  /**
   * @param {Line} line
   * @param {(error: unknown) => void} report
   */
  constructor(line, report) {
    this.#line = line;
    this.#report = report;
  }

  /**
   * Answers a function that ends the subscription.
   * @param {string} token
   * @param {Subscriber} subscriber
   * @param {Position | null} [since]  what the page shows of a feed
   */
  subscribe(token, subscriber, since = null) {
    const topic = topicOf(token);
    const entry = this.#entries.get(topic) ?? this.#enter(topic, token);
    entry.subscribers.add(subscriber);
    if (since) this.#resumeFrom(topic, entry, since);
    if (this.#line.works) this.#show([subscriber], topic, entry.value);
    return () => {
      entry.subscribers.delete(subscriber);
      if (!entry.subscribers.size) this.#later(topic);
    };
  }

  /**
   * This page is in a room, until the function that is answered is called.
   * @param {string} room
   */
  enter(room) {
    if (!this.#count(room, 1)) this.#line.send(presence({ room }));
    // Later, because an element that is moved in the page enters again at once.
    return () =>
      queueMicrotask(() => {
        if (this.#count(room, -1) === 1) this.#line.send(presence({ room, here: false }));
      });
  }

  /**
   * Answers how many there were before.
   * @param {string} room
   * @param {number} more
   */
  #count(room, more) {
    const before = this.#rooms.get(room) ?? 0;
    if (before + more) this.#rooms.set(room, before + more);
    else this.#rooms.delete(room);
    return before;
  }

  /** A new socket: it must hear everything again. */
  opened() {
    this.#told.clear();
    for (const entry of this.#entries.values()) if (entry.feed) entry.since ??= this.#seen;
    this.#ask([...this.#entries.keys()]);
    for (const room of this.#rooms.keys()) this.#line.send(presence({ room }));
  }

  /** @param {ServerFrame} frame */
  received(frame) {
    this.#see(frame);
    if (frame.op === "values") this.#values(frame.values);
    else if (frame.op === "events" || frame.op === "reset") this.#events(frame.op, frame.topic, frame);
  }

  /** What polling asks for. */
  requests() {
    return this.#portions([...this.#entries.keys()]);
  }

  /** @param {Snapshot} snapshot */
  snapshot({ values, events, reset, epoch }) {
    this.#values(values);
    for (const [topic, list] of Object.entries(events)) {
      this.#events(reset.includes(topic) ? "reset" : "events", topic, { events: list, epoch });
    }
  }

  /** @param {Position | null} position */
  polled(position) {
    if (!position) return;
    this.#see(position);
    for (const entry of this.#entries.values()) entry.since = null;
  }

  /**
   * @param {string} topic
   * @param {string} token
   */
  #enter(topic, token) {
    /** @type {Entry} */
    const entry = { token, subscribers: new Set(), feed: false, since: null, value: undefined };
    this.#entries.set(topic, entry);
    this.#later(topic);
    return entry;
  }

  /**
   * A part of the page may have been rendered earlier than what the others have seen by now.
   * @param {string} topic
   * @param {Entry} entry
   * @param {Position} since
   */
  #resumeFrom(topic, entry, since) {
    entry.feed = true;
    const reached = entry.since ?? (this.#told.has(topic) ? this.#seen : null);
    if (reached?.epoch === since.epoch && reached.seq <= since.seq) return;
    entry.since = since;
    this.#told.delete(topic);
    this.#later(topic);
  }

  /** @param {string} topic */
  #later(topic) {
    if (!this.#due.size) queueMicrotask(() => this.#flush());
    this.#due.add(topic);
  }

  #flush() {
    const due = [...this.#due];
    this.#due.clear();
    const left = due.filter((topic) => this.#entries.get(topic)?.subscribers.size === 0);
    for (const topic of left) this.#entries.delete(topic);
    const untold = left.filter((topic) => this.#told.delete(topic));
    for (const part of portioned(untold)) this.#line.send(unsubscribe(part));
    if (!this.#entries.size) return this.#line.stop();
    this.#line.start();
    const fresh = due.filter((topic) => this.#entries.has(topic) && !this.#told.has(topic));
    this.#ask(fresh);
    if (fresh.length) this.#line.hurry();
  }

  /** @param {string[]} topics */
  #ask(topics) {
    for (const portion of this.#portions(topics)) {
      this.#line.send(subscribe(portion.topics, portion.position));
    }
    for (const topic of topics) this.#told.add(topic);
  }

  /**
   * One position to a request: topics are put together by where they must resume; counters ride along.
   * @param {string[]} topics
   */
  #portions(topics) {
    const entries = topics.map((topic) => /** @type {Entry} */ (this.#entries.get(topic)));
    const common = this.#seen ?? entries.find((entry) => entry.since?.epoch)?.since ?? null;
    /** @type {Map<string, {tokens: string[], position: Position | null}>} */
    const groups = new Map();
    for (const { token, since } of entries) {
      const position = since ?? common;
      const key = `${position?.epoch} ${position?.seq}`;
      const group = groups.get(key) ?? { tokens: [], position: position?.epoch ? position : null };
      group.tokens.push(token);
      groups.set(key, group);
    }
    return [...groups.values()].flatMap(({ tokens, position }) =>
      portioned(tokens).map((topics) => ({ topics, position })),
    );
  }

  /**
   * A server that has only just started knows no epoch yet.
   * @param {Position} position
   */
  #see({ epoch, seq }) {
    if (!epoch) return;
    const seen = this.#seen;
    this.#seen = { epoch, seq: seen?.epoch === epoch ? Math.max(seen.seq, seq) : seq };
  }

  /** @param {Record<string, Value | Online>} values */
  #values(values) {
    for (const [topic, value] of Object.entries(values)) {
      const entry = this.#entries.get(topic);
      if (!entry) continue;
      entry.value = value;
      this.#show(entry.subscribers, topic, value);
    }
  }

  /**
   * @param {Iterable<Subscriber>} subscribers
   * @param {string} topic
   * @param {Value | Online | undefined} value
   */
  #show(subscribers, topic, value) {
    if (isValue(value)) this.#tell(subscribers, "value", topic, value);
    else if (value) this.#tell(subscribers, isOnline(value) ? "online" : "whole", topic, value);
  }

  /**
   * @param {Iterable<Subscriber>} subscribers
   * @param {keyof Subscriber} what
   * @param {any[]} news
   */
  #tell(subscribers, what, ...news) {
    tell(
      this.#report,
      [...subscribers].flatMap((each) => each[what] ?? []),
      ...news,
    );
  }

  /**
   * A feed's first frame, be it empty, answers where it resumed; from then on it is seen up to where
   * all are. Other frames, a pong even, may overtake that answer.
   * @param {"events" | "reset"} op
   * @param {string} topic
   * @param {{events: LiveEvent[], epoch: string}} frame
   */
  #events(op, topic, { events, epoch }) {
    const entry = this.#entries.get(topic);
    if (!entry) return;
    entry.since = null;
    this.#tell(entry.subscribers, op, topic, events, epoch);
  }
}

/** @param {string[]} topics */
function portioned(topics) {
  const portions = [];
  for (let i = 0; i < topics.length; i += PORTION) portions.push(topics.slice(i, i + PORTION));
  return portions;
}
