/**
 * `<live-feed topics epoch seq limit>`: what happened, newest first. New items are clones of the
 * template in it; texts go in as text, never as markup.
 *
 * Dispatches `live:event` with {topic, event} for each thing that happened while the page was open.
 *
 * @typedef {import("./frames.js").LiveEvent} LiveEvent
 * @typedef {import("./frames.js").Position} Position
 */

import { LiveElement, write } from "./element.js";
import { NOWHERE, topicOf } from "./frames.js";

const LIMIT = 10;

/** Pages that share a socket hear each other's answers, which tell up to 50 events again. */
const MEMORY = 99;

export class LiveFeed extends LiveElement {
  static observedAttributes = ["topics"];

  #epoch = "";
  /** @type {Map<string, number[]>} topic -> what was told of it; nothing below the first is news */ #told =
    new Map();
  /** @type {WeakMap<Element, string>} item -> its topic; the server's own items have none */ #origin =
    new WeakMap();

  /** @returns {(() => void)[]} */
  hold() {
    const { store, clock } = this.client;
    const tokens = (this.getAttribute("topics") ?? "").split(/\s+/).filter(Boolean);
    /** @type {import("./store.js").Subscriber} */
    const subscriber = {
      events: (topic, events, epoch) => this.#add(topic, events, epoch),
      reset: (topic, events, epoch) => this.#replace(topic, events, epoch),
    };
    const since = this.#position();
    this.#epoch = since.epoch;
    const holds = tokens.map((token) => {
      this.#told.set(topicOf(token), [since.seq]);
      return store.subscribe(token, subscriber, since);
    });
    return [...holds, clock.watch(() => this.#tellTimes())];
  }

  get limit() {
    const limit = Number(this.getAttribute("limit"));
    return Number.isInteger(limit) && limit > 0 ? limit : LIMIT;
  }

  /** @returns {Position} */
  #position() {
    const epoch = this.getAttribute("epoch") ?? "";
    const seq = Number(this.getAttribute("seq") ?? "x");
    return epoch && Number.isSafeInteger(seq) ? { epoch, seq } : NOWHERE;
  }

  /**
   * @param {string} topic
   * @param {LiveEvent[]} events
   * @param {string} epoch
   */
  #add(topic, events, epoch) {
    if (epoch !== this.#epoch) this.#begin(epoch);
    const told = this.#told.get(topic) ?? [0];
    const news = events.filter(
      (event) => event.seq > told[0] && !told.includes(event.seq) && !this.#shows(event),
    );
    if (!news.length) return;
    this.#remember(topic, [...told, ...news.map(({ seq }) => seq)].slice(-MEMORY));
    this.#keepingPlace(() => {
      for (const event of news.slice(-this.limit)) this.#insert(topic, event, true);
      this.#trim();
    });
    for (const event of news) this.announce("live:event", { topic, event });
  }

  /**
   * Items of the feed's other topics stay; whose the server's own items were nobody knows, so they go.
   * @param {string} topic
   * @param {LiveEvent[]} events
   * @param {string} epoch
   */
  #replace(topic, events, epoch) {
    const list = this.piece("list");
    if (!list) return;
    if (epoch !== this.#epoch) this.#begin(epoch);
    list.setAttribute("aria-busy", "true");
    this.#remember(topic, [Math.max(0, ...events.map(({ seq }) => seq))]);
    this.#keepingPlace(() => {
      for (const item of [...list.children]) {
        if ((this.#origin.get(item) ?? topic) === topic) item.remove();
      }
      for (const event of events.slice(-this.limit)) this.#insert(topic, event, false);
      this.#trim();
    });
    list.removeAttribute("aria-busy");
  }

  /**
   * A new epoch counts anew: all that is shown is older than what it brings.
   * @param {string} epoch
   */
  #begin(epoch) {
    this.#epoch = epoch;
    this.#told.clear();
    this.setAttribute("epoch", epoch);
    this.setAttribute("seq", "0");
    for (const item of this.piece("list")?.children ?? []) item.removeAttribute("data-seq");
  }

  /**
   * The attributes say what is shown, so that an element that is moved resumes where it was.
   * @param {string} topic
   * @param {number[]} told
   */
  #remember(topic, told) {
    const newest = Math.max(...told);
    this.#told.set(topic, told);
    if (newest > this.#position().seq) this.setAttribute("seq", String(newest));
  }

  /** @param {LiveEvent} event */
  #shows(event) {
    return this.piece("list")?.querySelector(`[data-seq="${event.seq}"]`);
  }

  /**
   * @param {string} topic
   * @param {LiveEvent} event
   * @param {boolean} fresh
   */
  #insert(topic, event, fresh) {
    const list = this.piece("list");
    const item = this.#build(event);
    if (!list || !item) return;
    this.#origin.set(item, topic);
    item.toggleAttribute("data-fresh", fresh);
    const older = [...list.children].find((each) => Number(each.getAttribute("data-seq")) < event.seq);
    list.insertBefore(item, older ?? null);
  }

  /**
   * @param {LiveEvent} event
   * @returns {HTMLElement | null}
   */
  #build(event) {
    const template = /** @type {HTMLTemplateElement | null} */ (
      this.querySelector('template[data-live="item"]')
    );
    const blank = template?.content.firstElementChild;
    if (!blank) return null;
    const item = /** @type {HTMLElement} */ (this.ownerDocument.importNode(blank, true));
    item.dataset.seq = String(event.seq);
    slot(item, "icon")?.setAttribute("data-icon", event.icon);
    const text = slot(item, "text");
    if (text) write(text, event.text);
    const time = slot(item, "time");
    time?.setAttribute("datetime", event.at);
    if (time) this.#tellTime(time);
    return item;
  }

  #trim() {
    const list = this.piece("list");
    while (list && list.children.length > this.limit) list.lastElementChild?.remove();
    this.piece("empty")?.toggleAttribute("hidden", !!list?.childElementCount);
  }

  /**
   * Who reads further down keeps the line he reads; who is at the top sees the new item come in.
   * @param {() => void} change
   */
  #keepingPlace(change) {
    const list = this.piece("list");
    const read = list?.scrollTop ? [...list.children].find((item) => bottom(item) > top(list)) : null;
    if (!list || !read) return change();
    const before = top(read);
    change();
    const now = list.querySelector(`[data-seq="${read.getAttribute("data-seq")}"]`);
    if (!now) return;
    list.style.setProperty("overflow-anchor", "none");
    list.scrollTop += top(now) - before;
  }

  #tellTimes() {
    for (const time of this.querySelectorAll("time[datetime]")) this.#tellTime(time);
  }

  /** @param {Element} time */
  #tellTime(time) {
    const now = this.client.clock.now();
    const at = Date.parse(time.getAttribute("datetime") ?? "");
    if (now !== null && !Number.isNaN(at)) write(time, this.client.format.age(at, now));
  }
}

/**
 * @param {Element} item
 * @param {string} name
 */
function slot(item, name) {
  return item.querySelector(`[data-live="${name}"]`);
}

/** @param {Element} element */
function top(element) {
  return element.getBoundingClientRect().top;
}

/** @param {Element} element */
function bottom(element) {
  return element.getBoundingClientRect().bottom;
}
