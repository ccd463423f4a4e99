/**
 * `<live-chart topic data-reading>`: a number step by step, kept true. Pointer and keys move along a range
 * that lies over the picture; what is there is told in words.
 *
 * @typedef {import("../frames.js").Value} Value
 * @typedef {{start: string, step: number, values: Value[], highest: Value, change: number | null}} Drawn
 */

import { shape } from "./shape.js";

/** @param {ReturnType<typeof import("./reading.js").readingOf>} Base */
export const chartOf = (Base) =>
  class LiveChart extends Base {
    /** @type {Drawn | undefined} */ #taken;
    /** @type {Intl.DateTimeFormat | undefined} */ #times;

    /** @returns {(() => void)[]} */
    hold() {
      this.oninput = () => this.#read(true);
      this.onpointermove = (/** @type {PointerEvent} */ { offsetX, target }) => {
        const range = /** @type {any} */ (this.piece("range"));
        if (target !== range) return;
        // The range rounds it to a whole one that there is.
        range.valueAsNumber = (offsetX / range.clientWidth) * this.#drawn.values.length - 0.5;
        this.#read(true);
      };
      // When it is open: then there are rows to be filled.
      this.onclick = () => setTimeout(() => this.#tabulate());
      return super.hold();
    }

    /** @returns {Drawn} */
    get #drawn() {
      this.#taken ??= JSON.parse(/** @type {string} */ (this.dataset.reading));
      return /** @type {Drawn} */ (this.#taken);
    }

    /** @param {Drawn | any} drawn */
    take(drawn) {
      this.#taken = drawn;
      const { values, highest, change } = drawn;
      const { kind, textTrend } = this.dataset;
      const end = values.length;
      this.#path("shape", shape(kind, values, 0, end - 1));
      this.#path("running", shape(kind, values, end - (kind === "bar" ? 1 : 2), end));
      // A line beside a number says no more than this.
      const range = this.piece("range");
      if (!range) return;
      this.write(this.piece("highest"), this.#number(highest));
      this.put("trend", {
        hidden: change === null,
        textContent: textTrend?.replace("{percent}", (change > 0 ? "+" : "") + this.#number(change, 0)),
      });
      this.#read(!range.matches(":focus"));
      this.#tabulate();
    }

    /**
     * Says what is where the range stands; to who hears the page not each time that it changes.
     * @param {boolean} aloud
     */
    #read(aloud) {
      const range = /** @type {any} */ (this.piece("range"));
      const at = range.valueAsNumber;
      const text = `${this.#time(at)}: ${this.#value(at)}`;
      this.write(this.piece("reading"), text);
      if (aloud) range.ariaValueText = text;
      this.#path("cursor", `M${at + 0.5} 0V100`);
    }

    /**
     * @param {string} name
     * @param {string} path
     */
    #path(name, path) {
      this.piece(name)?.setAttribute("d", path);
    }

    /** Only while somebody looks at it. */
    #tabulate() {
      /** @type {NodeListOf<HTMLTableRowElement>} */ (this.querySelectorAll("[open] tr")).forEach(
        ({ cells }, at) => {
          this.write(cells[0], this.#time(at));
          this.write(cells[1], this.#value(at));
        },
      );
    }

    /** @param {number} at */
    #value(at) {
      const { values } = this.#drawn;
      return this.#number(values[at]) + (at === values.length - 1 ? this.dataset.textRunning : "");
    }

    /**
     * @param {Value} value
     * @param {any} decimals
     */
    #number(value, decimals = this.dataset.decimals) {
      return this.client.format.value(value, decimals);
    }

    /** @param {number} at */
    #time(at) {
      const { start, step } = this.#drawn;
      this.#times ??= new Intl.DateTimeFormat(
        this.dataset.language,
        JSON.parse(/** @type {string} */ (this.dataset.times)),
      );
      // A day may have 23 or 25 hours: its noon is on it all the same.
      const part = step === 86_400 ? 0.5 : 0;
      return this.#times.format(Date.parse(start) + (at + part) * step * 1_000);
    }
  };
