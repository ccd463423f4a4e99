/**
 * `<live-feed topic epoch seq limit>`: what happened, newest first. New items are clones of the
 * template in it; texts go in as text, never as markup. What belongs together is one item, which takes
 * the place of what was told of it before.
 *
 * Whoever is not at the top, has come into the list or has paused it keeps what they read: what is new
 * waits until they ask for it.
 *
 * Dispatches `live:event` with {topic, event} for each thing that happened while the page was open.
 *
 * @typedef {import("./frames.js").LiveEvent} LiveEvent
 * @typedef {import("./frames.js").Position} Position
 */

import { LiveElement, write } from "./element.js";
import { NOWHERE } from "./frames.js";

const LIMIT = 10;

/** Items in a page, at the most; from then on "Older" leads to a page of its own. */
const MOST = 200;

/** Pages that share a socket hear each other's answers, which tell up to 50 events again. */
const MEMORY = 99;

export class LiveFeed extends LiveElement {
  static observedAttributes = ["topic"];

  /** @type {Position} the newest that was told */ #place = NOWHERE;
  /** @type {number[]} what was told; nothing below the first is news */ #told = [];
  /** @type {Map<string, LiveEvent>} key -> what is not shown yet */ #waiting = new Map();
  /** Whether that is all there is to show. */ #whole = false;
  /** How many items were asked for below the limit. */ #older = 0;
  #unsaid = 0;
  #paused = false;

  /** @returns {(() => void)[]} */
  hold() {
    const { store, clock } = this.client;
    const token = this.getAttribute("topic");
    const epoch = this.getAttribute("epoch");
    if (epoch && !this.#place.epoch) this.#place = { epoch, seq: Number(this.getAttribute("seq")) };
    const place = this.#place;
    this.#told = [place.seq];
    this.onclick = this.#click;
    this.onkeydown = this.#key;
    return [
      clock.watch(() => this.#tick()),
      token
        ? store.subscribe(
            token,
            {
              events: (...news) => this.#take(...news),
              reset: (...news) => this.#take(...news, true),
            },
            place,
          )
        : () => {},
    ];
  }

  get #items() {
    return /** @type {HTMLElement[]} */ ([...(this.piece("list")?.children ?? [])]);
  }

  /**
   * All that is shown is older than what a new epoch brings, and a reset brings all there is.
   * @param {string} topic
   * @param {LiveEvent[]} events
   * @param {string} epoch
   * @param {boolean} [reset]
   */
  #take(topic, events, epoch, reset) {
    if (reset || epoch !== this.#place.epoch) {
      this.#place = { epoch, seq: 0 };
      this.#told = [0];
      this.#whole = true;
      this.#older = 0;
      this.#waiting.clear();
    }
    const told = this.#told;
    const news = events.filter(({ seq }) => seq > told[0] && !told.includes(seq));
    if (!reset && !news.length) return;
    const all = [...told, ...news.map(({ seq }) => seq)];
    const seq = Math.max(...all);
    this.#told = reset ? [seq] : all.slice(-MEMORY);
    this.#place = { epoch, seq };
    for (const event of news) {
      this.#waiting.delete(event.key);
      this.#waiting.set(event.key, event);
    }
    const [first] = this.#waiting.keys();
    if (this.#waiting.size > MOST) this.#waiting.delete(first);
    if (this.#held) this.#write("new", this.#waiting.size);
    else this.#show();
    if (reset) return;
    this.#unsaid += news.length;
    for (const event of news) this.announce("live:event", { topic, event });
  }

  get #held() {
    const list = this.piece("list");
    return (
      this.#paused ||
      (list &&
        (list.scrollTop || list.getBoundingClientRect().top < 0 || list.contains(document.activeElement)))
    );
  }

  #show() {
    if (this.#whole) this.piece("list")?.replaceChildren();
    for (const event of this.#waiting.values()) this.#insert(event, !this.#whole);
    this.#waiting.clear();
    this.#whole = false;
    this.#write("new", 0);
    this.#trim();
  }

  /**
   * @param {string} name
   * @param {number} number
   */
  #write(name, number) {
    const piece = this.piece(name);
    if (!piece) return;
    const text = this.dataset.textNew?.replace("{number}", this.client.format.value(number, 0));
    piece.textContent = text ?? null;
    piece.hidden = !number;
  }

  /**
   * @param {LiveEvent} event
   * @param {boolean} fresh
   */
  #insert(event, fresh) {
    const known = this.#items.find(({ dataset }) => dataset.key === event.key);
    if (Number(known?.dataset.seq) >= event.seq) return;
    known?.remove();
    const item = this.#build(event);
    if (!item) return;
    item.toggleAttribute("data-fresh", fresh);
    const older = this.#items.find(({ dataset }) => Number(dataset.seq) < event.seq);
    this.piece("list")?.insertBefore(item, older ?? null);
  }

  /**
   * @param {LiveEvent} event
   * @returns {HTMLElement | null}
   */
  #build(event) {
    const template = /** @type {HTMLTemplateElement | null} */ (this.piece("item"));
    const blank = template?.content.firstElementChild;
    if (!blank) return null;
    const item = /** @type {HTMLElement} */ (this.ownerDocument.importNode(blank, true));
    item.dataset.seq = `${event.seq}`;
    item.dataset.key = event.key;
    this.piece("icon", item)?.setAttribute("data-icon", event.icon);
    const text = this.piece("text", item);
    if (text) write(text, event.text);
    if (event.url) text?.setAttribute("href", event.url);
    const time = this.piece("time", item);
    time?.setAttribute("datetime", event.at);
    if (time) this.#tellTime(time);
    return item;
  }

  #trim() {
    for (const item of this.#items.slice((Number(this.getAttribute("limit")) || LIMIT) + this.#older))
      item.remove();
    const items = this.#items;
    items.forEach((item, i) => {
      item.setAttribute("aria-posinset", `${i + 1}`);
    });
    this.piece("empty")?.toggleAttribute("hidden", !!items.length);
  }

  /** @param {MouseEvent} event */
  #click = (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-live]");
    const what = button?.getAttribute("data-live");
    if (what === "pause") {
      this.#paused = !this.#paused;
      button?.setAttribute("aria-pressed", `${this.#paused}`);
      if (!this.#paused) this.#show();
    } else if (what === "new") {
      this.#show();
      this.piece("list")?.scrollTo(0, 0);
      this.scrollIntoView({ block: "nearest" });
    } else if (what === "older" && this.#items.length < MOST) {
      const link = /** @type {HTMLAnchorElement} */ (button);
      if (!link.dataset.more) return;
      event.preventDefault();
      void this.#load(link);
    }
  };

  /**
   * The place follows from what is shown, so nothing is missed and nothing comes twice. Once asked for,
   * more comes whenever the reader gets there.
   * @param {HTMLAnchorElement} link
   */
  async #load(link) {
    const list = this.piece("list");
    if (list?.hasAttribute("aria-busy")) return;
    list?.setAttribute("aria-busy", "true");
    try {
      const url = link.dataset.more + this.#cursor;
      const answer = await this.client.env.fetch(url);
      const { results, next } = await answer.json();
      this.#older += results.length;
      for (const event of results) this.#insert(event, false);
      this.#trim();
      link.hidden = !next;
      link.search = link.search.replace(/[^=]*$/, this.#cursor);
      new IntersectionObserver(([{ isIntersecting }], eye) => {
        if (!isIntersecting) return;
        eye.disconnect();
        link.click();
      }).observe(link);
    } catch (error) {
      link.dataset.more = "";
      this.client.env.report(error);
    }
    list?.removeAttribute("aria-busy");
  }

  get #cursor() {
    return `${this.#place.epoch}-${this.#items.at(-1)?.dataset.seq}-${this.#place.seq}`;
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const item = /** @type {Element} */ (event.target).closest("[data-key]");
    const { key } = event;
    const next = /** @type {HTMLElement | null | undefined} */ (
      key === "PageDown" ? item?.nextElementSibling : key === "PageUp" && item?.previousElementSibling
    );
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  /** Now and then the times are told anew, and in words that there was news. */
  #tick() {
    if (this.#unsaid) this.#write("said", this.#unsaid);
    this.#unsaid = 0;
    for (const time of this.querySelectorAll("time[datetime]")) this.#tellTime(time);
  }

  /** @param {Element} time */
  #tellTime(time) {
    const now = this.client.clock.now();
    const at = Date.parse(time.getAttribute("datetime") ?? "");
    if (now !== null && !Number.isNaN(at)) write(time, this.client.format.age(at, now));
  }
}
