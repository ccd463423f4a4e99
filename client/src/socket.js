/**
 * One socket, from opening to closing; a shared one may open again in between. It is "proven" by its first real frame: a proxy may accept
 * a socket that leads nowhere, and a server must accept one before it can say why it closes it.
 *
 * @typedef {import("./environment.js").Environment} Environment
 * @typedef {import("./frames.js").ServerFrame} ServerFrame
 *
 * @typedef {object} SocketHandler
 * @property {() => void} opened  nothing is known to the server
 * @property {(frame: ServerFrame) => void} received
 * @property {(code: number) => void} closed  called once, unless we closed it ourselves
 */

import { parse, ping } from "./frames.js";

const PING_EVERY = 25_000;
const ANSWER_WITHIN = 10_000;
const LOST = 1006;

export class Socket {
  #env;
  #handler;
  /** @type {any} */ #pingTimer;
  /** @type {any} */ #deadline;
  /** @type {import("./environment.js").WebSocketLike | null} */ #socket;

  /**
   * @param {Environment} env
   * @param {string} url
   * @param {SocketHandler} handler
   */
  constructor(env, url, handler) {
    this.#env = env;
    this.#handler = handler;
    this.#socket = env.openSocket(url);
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = (message) => this.#received(message.data);
    this.#socket.onclose = (event) => this.#lost(event.code);
    this.#expectAnswer();
  }

  /** @param {string} text */
  send(text) {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /** Asks for a sign of life; without one the socket is given up. */
  ping() {
    if (!this.#socket) return;
    this.send(ping());
    this.#expectAnswer();
  }

  /** Closes without a word to the handler. */
  close() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    this.#env.clearTimeout(this.#pingTimer);
    this.#env.clearTimeout(this.#deadline);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #opened() {
    this.#handler.opened();
    this.ping();
    this.#pingLater();
  }

  #pingLater() {
    this.#env.clearTimeout(this.#pingTimer);
    this.#pingTimer = this.#env.setTimeout(() => {
      this.ping();
      this.#pingLater();
    }, PING_EVERY);
  }

  /** @param {unknown} text */
  #received(text) {
    const frame = parse(text);
    if (!frame) return;
    this.#env.clearTimeout(this.#deadline);
    this.#handler.received(frame);
  }

  #expectAnswer() {
    this.#env.clearTimeout(this.#deadline);
    this.#deadline = this.#env.setTimeout(() => this.#lost(LOST), ANSWER_WITHIN);
  }

  /**
   * A dead network lets a browser wait a minute for its close event, so we do not wait for it.
   * @param {number} code
   */
  #lost(code) {
    this.close();
    this.#handler.closed(code);
  }
}
