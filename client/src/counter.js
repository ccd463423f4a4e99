/**
 * `<live-counter topic value decimals>`: one number, kept true. Until the first frame that says
 * something else, the text of the server stays as it is.
 *
 * Dispatches `live:change` with {topic, value, previous}.
 *
 * @typedef {import("./frames.js").Value} Value
 */

import { LiveElement, write } from "./element.js";

const FRESH_FOR = 1_200;

export class LiveCounter extends LiveElement {
  static observedAttributes = ["topic"];

  /** @type {number | null} what a glide shows just now */ #shown = null;
  /** @type {any} */ #freshTimer;

  /** @returns {(() => void)[]} */
  hold() {
    const { store, animation } = this.client;
    const token = this.getAttribute("topic");
    if (!token) return [];
    const release = store.subscribe(token, this.hears());
    const settle = () => {
      animation.stop(this);
      if (this.#shown !== null) this.#finish();
    };
    return [release, settle];
  }

  /** @returns {import("./store.js").Subscriber} */
  hears() {
    return { value: (topic, value) => this.take(topic, value) };
  }

  /** The last value of the server, as it travels. */
  get value() {
    return readValue(this.getAttribute("value"));
  }

  get decimals() {
    const decimals = Number(this.getAttribute("decimals"));
    return decimals >= 0 && decimals <= 20 ? decimals : 0;
  }

  /**
   * @param {string} topic
   * @param {Value} value
   */
  take(topic, value) {
    const previous = this.value;
    if (writeValue(value) === (this.getAttribute("value") ?? "")) return;
    this.setAttribute("value", writeValue(value));
    this.piece("value")?.setAttribute("value", writeValue(value));
    this.#move(this.#shown ?? previous, value);
    this.#pulse();
    this.announce("live:change", { topic, value, previous });
  }

  /**
   * @param {Value} from
   * @param {Value} to
   */
  #move(from, to) {
    const { animation } = this.client;
    const [start, end] = [Number(from), Number(to)];
    if (from === null || to === null || !this.#worthGliding(start, end)) {
      animation.stop(this);
      return this.#finish();
    }
    animation.glide(
      this,
      start,
      end,
      (shown) => this.#draw(shown),
      () => this.#finish(),
    );
  }

  /**
   * A single step has nothing in between, and beyond 2^53 a float would show wrong digits.
   * @param {number} start
   * @param {number} end
   */
  #worthGliding(start, end) {
    const step = 10 ** -this.decimals;
    const largest = Math.max(Math.abs(start), Math.abs(end)) / step;
    return largest <= 9e15 && Math.abs(end - start) > 1.5 * step;
  }

  /** @param {number} shown */
  #draw(shown) {
    const factor = 10 ** this.decimals;
    this.#shown = Math.round(shown * factor) / factor;
    this.#write(this.#shown);
  }

  /** The end is the server's value itself, not the result of a calculation. */
  #finish() {
    this.#shown = null;
    this.#write(this.value);
  }

  /** @param {Value} value */
  #write(value) {
    const place = this.piece("value") ?? (this.childElementCount ? null : this);
    if (place) write(place, this.client.format.value(value, this.decimals));
  }

  #pulse() {
    const { env } = this.client;
    env.clearTimeout(this.#freshTimer);
    this.dataset.fresh = "";
    this.#freshTimer = env.setTimeout(() => delete this.dataset.fresh, FRESH_FOR);
  }
}

/** @param {Value} value */
function writeValue(value) {
  return value === null ? "" : String(value);
}

/**
 * @param {string | null} text
 * @returns {Value}
 */
function readValue(text) {
  if (text === null || !/^-?\d/.test(text)) return null;
  return String(Number(text)) === text ? Number(text) : text;
}
