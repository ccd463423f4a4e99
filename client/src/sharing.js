/**
 * One socket for all pages of a browser. Whoever holds the lock has the real one and hands its frames
 * around; the others talk through it. The lock passes on with the page that goes, and with it the task:
 * then all open anew, each from where it stands. To its page this looks like a WebSocket that may open
 * more than once.
 *
 * Pages say {id, seen, text}; the one that leads says {to, open}, {text} or {code}.
 *
 * @typedef {import("./environment.js").Environment} Environment
 * @typedef {{seen: boolean, ends: Set<string>}} Page  whether it is looked at, and the frames that end
 *     what it follows
 * @typedef {{id?: string, seen?: boolean, text?: any, to?: string, open?: boolean, code?: number}} Message
 */

import { parse, presence, topicOf, unsubscribe } from "./frames.js";

/** A leader that does not answer so long is asleep. */
const PATIENCE = 1_500;
const LOST = 1006;

export class SharedSocket {
  readyState = 0;
  /** @type {(() => void) | null} */ onopen = null;
  /** @type {((message: {data: any}) => void) | null} */ onmessage = null;
  /** @type {((event: {code: number}) => void) | null} */ onclose = null;

  #env;
  #url;
  #name;
  #visitor;
  #id;
  #ended = new AbortController();
  /** @type {BroadcastChannel | null} */ #channel = null;
  #led = false;
  /** @type {any} */ #timer;

  /** @type {import("./environment.js").WebSocketLike | null} of the one that leads, as is all below */ #real =
    null;
  /** @type {Map<string, Page>} */ #pages = new Map();

  /**
   * @param {Environment} env
   * @param {string} url
   * @param {string} viewer  pages of different viewers share nothing
   * @param {() => Promise<string | undefined>} visitor
   */
  constructor(env, url, viewer, visitor) {
    this.#env = env;
    this.#url = url;
    this.#name = `livecounters ${url} ${viewer} `;
    this.#visitor = visitor;
    this.#id = `${env.random()}`;
    if (env.locks)
      this.#hold(
        this.#id,
        () => this.#join(),
        () => this.#lead(),
      );
    else this.#lead();
  }

  /** @param {string} text */
  send(text) {
    this.#say({ text });
  }

  close() {
    this.readyState = 3;
    this.#ended.abort();
    this.#env.clearTimeout(this.#timer);
    this.#channel?.close();
    this.#channel = null;
    const real = this.#real;
    if (real) real.onopen = real.onmessage = real.onclose = null;
    real?.close();
  }

  /**
   * Holds a lock from `work` on until this socket is closed.
   * @param {string} name
   * @param {() => void} work
   * @param {() => void} failed  told only while this socket is not closed
   * @param {LockOptions} [options]
   */
  #hold(name, work, failed, options = { signal: this.#ended.signal }) {
    const { signal } = this.#ended;
    const held = () => {
      work();
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    };
    this.#env.locks?.request(this.#name + name, options, held).catch(() => signal.aborted || failed());
  }

  /** Our own lock is held by now: that it is free again will tell the others that we are gone. */
  #join() {
    this.#channel = this.#env.channel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#heard(data);
    this.#apply();
    this.#say({});
    this.#timer = this.#env.setTimeout(() => this.#led || this.#apply({ steal: true }), PATIENCE);
  }

  /** @param {LockOptions} [options] */
  #apply(options) {
    this.#hold(
      "",
      () => this.#lead(),
      () => this.#end(LOST),
      options,
    );
  }

  /** @param {Message} message */
  #say(message) {
    const told = { ...message, id: this.#id, seen: this.#env.attended() };
    if (this.#real) this.#heard(told);
    else this.#channel?.postMessage(told);
  }

  /** @param {Message} message */
  #heard({ id, seen, to, open, text, code }) {
    if (id) {
      if (this.#real) this.#serve(id, !!seen, text);
    } else if (!to || to === this.#id) {
      this.#led = true;
      if (code) this.#end(code);
      else if (open) {
        this.readyState = 1;
        this.onopen?.();
      } else if (text && this.readyState === 1) this.onmessage?.({ data: text });
    }
  }

  /** @param {number} code */
  #end(code) {
    this.close();
    this.onclose?.({ code });
  }

  // Of the one that leads

  #lead() {
    this.readyState = 0;
    const real = this.#env.openSocket(this.#url);
    this.#real = real;
    real.onopen = () => this.#tell({ open: true });
    real.onmessage = ({ data }) => this.#relay(data);
    real.onclose = ({ code }) => this.#tell({ code });
    this.#tell({});
  }

  /** @param {Message} message */
  #tell(message) {
    this.#channel?.postMessage(message);
    this.#heard(message);
  }

  /** @param {any} text */
  #relay(text) {
    const op = parse(text)?.op;
    if (op === "beat") this.#present();
    if (op === "visitor") this.#visitor().then((visitor) => visitor && this.#present({ visitor }));
    this.#tell({ text });
  }

  /**
   * @param {string} id
   * @param {boolean} seen
   * @param {string} [text]
   */
  #serve(id, seen, text) {
    const page = this.#pages.get(id) ?? this.#enter(id);
    page.seen = seen;
    if (!text) this.#tell({ to: id, open: this.readyState === 1 });
    else if (this.readyState === 1) this.#forward(page, text);
  }

  /** @param {string} id */
  #enter(id) {
    const page = { seen: true, ends: new Set() };
    this.#pages.set(id, page);
    if (id !== this.#id)
      this.#hold(
        id,
        () => this.#gone(id, page),
        () => {},
      );
    return page;
  }

  /**
   * @param {string} id
   * @param {Page} page
   */
  #gone(id, page) {
    this.#pages.delete(id);
    this.#drop(page, [...page.ends]);
    this.#present();
  }

  /**
   * @param {Page} page
   * @param {string} text
   */
  #forward(page, text) {
    const { op, topics = [], room, here } = JSON.parse(text);
    /** @type {string[]} */
    const ends = topics.map((/** @type {string} */ topic) => unsubscribe([topicOf(topic)]));
    if (room) ends.push(presence({ room, here: false }));
    if (op === "unsubscribe" || here === false) return this.#drop(page, ends);
    for (const end of ends) page.ends.add(end);
    this.#write(text);
    // Who opens is pinging, and who is seen or hidden.
    if (op === "ping") this.#present();
  }

  /**
   * Ends what no other page follows.
   * @param {Page} page
   * @param {string[]} ends
   */
  #drop(page, ends) {
    for (const end of ends) {
      page.ends.delete(end);
      if (![...this.#pages.values()].some((other) => other.ends.has(end))) this.#write(end);
    }
  }

  /** @param {{visitor?: string}} [more] */
  #present(more) {
    const pages = [...this.#pages.values()];
    const state = pages.some(({ seen }) => seen) ? "active" : "away";
    this.#write(presence({ state, tabs: pages.length, ...more }));
  }

  /** @param {string} text */
  #write(text) {
    if (this.readyState === 1) this.#real?.send(text);
  }
}
