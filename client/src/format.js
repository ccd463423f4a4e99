/**
 * Values and times in the words of the page's language. Intl objects are dear to build and cheap to
 * use, so each is built once.
 *
 * @typedef {import("./frames.js").Value} Value
 */

const NOTHING = "–";

/** @type {[Intl.RelativeTimeFormatUnit, number][]} how many of one make one of the next */
const AGES = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 365 / 30],
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
    let age = Math.max(0, now - at) / 1_000;
    age -= age < 60 ? age % 10 : 0;
    for (const [unit, most] of AGES) {
      if (age < most) return this.#ages.format(-Math.floor(age), unit);
      age /= most;
    }
    return this.#ages.format(-Math.floor(age), "year");
  }

  /** @param {number} decimals */
  #number(decimals) {
    let format = this.#numbers.get(decimals);
    if (!format) {
      const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      format = new Intl.NumberFormat(this.#language, digits);
      this.#numbers.set(decimals, format);
    }
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
