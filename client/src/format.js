/**
 * Values and times in the words of the page's language. Intl objects are dear to build and cheap to
 * use, so each is built once.
 *
 * @typedef {import("./frames.js").Value} Value
 */

const NOTHING = "–";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @type {[number, number, Intl.RelativeTimeFormatUnit][]} up to this age, counted in these steps, called so */
const AGES = [
  [MINUTE, SECOND, "second"],
  [HOUR, MINUTE, "minute"],
  [DAY, HOUR, "hour"],
  [30 * DAY, DAY, "day"],
  [365 * DAY, 30 * DAY, "month"],
  [Number.POSITIVE_INFINITY, 365 * DAY, "year"],
];

export class Format {
  #language;
  /** @type {Map<number, Intl.NumberFormat>} decimals -> format */ #numbers = new Map();
  /** @type {Intl.RelativeTimeFormat} */ #ages;

  /** @param {string} language  an unknown one gives the browser's own */
  constructor(language) {
    this.#language = known(language);
    this.#ages = new Intl.RelativeTimeFormat(this.#language, { numeric: "auto" });
  }

  /**
   * @param {Value} value
   * @param {number} decimals  digits after the point
   */
  value(value, decimals) {
    return value === null ? NOTHING : this.#number(decimals).format(exact(value));
  }

  /**
   * "2 minutes ago". What is younger than a minute moves in tens of seconds, to keep the page calm.
   * @param {number} at
   * @param {number} now
   */
  age(at, now) {
    const age = Math.max(0, now - at);
    const [, step, unit] = /** @type {typeof AGES[0]} */ (AGES.find(([limit]) => age < limit));
    const steps = Math.floor(age / step);
    return this.#ages.format(-(unit === "second" ? steps - (steps % 10) : steps), unit);
  }

  /** @param {number} decimals */
  #number(decimals) {
    const cached = this.#numbers.get(decimals);
    if (cached) return cached;
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const format = new Intl.NumberFormat(this.#language, digits);
    this.#numbers.set(decimals, format);
    return format;
  }
}

/**
 * Text never goes through a float: whole numbers become BigInt, and any other Intl reads
 * exactly as it stands (browsers since 2023).
 * @param {number | string} value
 * @returns {any}
 */
function exact(value) {
  return typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : value;
}

/** @param {string} language */
function known(language) {
  try {
    return Intl.getCanonicalLocales(language);
  } catch {
    return undefined;
  }
}
