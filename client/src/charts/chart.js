/**
 * `<live-chart topic data-reading>`: a number step by step, kept true. Pointer and keys move along a range
 * that lies over the picture; what is there is told in words.
 *
 * @typedef {import("../frames.js").Value} Value
 * @typedef {{start: string, step: number, values: Value[], highest: Value, change: number | null}} Drawn
 */

import { shape } from "./shape.js";

const DAY = 86_400;

/** @param {ReturnType<typeof import("./reading.js").readingOf>} Base */
export const chartOf = (Base) =>
  class LiveChart extends Base {
    /** @type {Drawn | any} */ #drawn;
    /** @type {Intl.DateTimeFormat | undefined} */ #times;

    /** @returns {(() => void)[]} */
    hold() {
      this.#drawn = JSON.parse(this.dataset.reading ?? "null");
      const range = this.#range;
      if (range) {
        range.hidden = false;
        range.oninput = () => this.#read(true);
        range.onpointermove = ({ offsetX }) => {
          range.valueAsNumber = Math.floor((offsetX / range.clientWidth) * this.#drawn.values.length);
          this.#read(true);
        };
        this.put("table", { ontoggle: () => this.#tabulate() });
      }
      return super.hold();
    }

    get #range() {
      return /** @type {HTMLInputElement} */ (this.piece("range"));
    }

    /** @param {Drawn | any} drawn */
    take(drawn) {
      this.#drawn = drawn;
      const { values, change } = drawn;
      const { kind, textTrend } = this.dataset;
      const end = values.length;
      const path = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to) =>
        this.piece(name)?.setAttribute("d", shape(kind, values, from, to));
      path("shape", 0, end - 1);
      path("running", end - (kind === "bar" ? 1 : 2), end);
      // A line beside a number says no more than this.
      if (!this.#range) return;
      this.put("highest", { textContent: this.#number(drawn.highest) });
      this.put("trend", {
        hidden: change === null,
        textContent: textTrend?.replace("{percent}", (change > 0 ? "+" : "") + this.#number(change, 0)),
      });
      this.#read(!this.#range.matches(":focus"));
      this.#tabulate();
    }

    /**
     * Says what is where the range stands; to who hears the page not each time that it changes.
     * @param {boolean} aloud
     */
    #read(aloud) {
      const at = this.#range.valueAsNumber;
      const text = `${this.#time(at)}: ${this.#value(at)}`;
      this.put("reading", { textContent: text });
      if (aloud) this.#range.ariaValueText = text;
      this.piece("cursor")?.setAttribute("d", `M${at + 0.5} 0V100`);
    }

    /** Only while somebody looks at it. */
    #tabulate() {
      /** @type {NodeListOf<HTMLTableRowElement>} */ (this.querySelectorAll("[open] tr")).forEach(
        ({ cells }, at) => {
          cells[0].textContent = this.#time(at);
          cells[1].textContent = this.#value(at);
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
      const daily = step === DAY;
      this.#times ??= new Intl.DateTimeFormat(this.dataset.language, {
        dateStyle: "medium",
        timeStyle: daily ? undefined : "short",
        timeZone: this.dataset.zone,
      });
      // A day may have 23 or 25 hours: its noon is on it all the same.
      return this.#times.format(Date.parse(start) + (daily ? at + 0.5 : at) * step * 1_000);
    }
  };
