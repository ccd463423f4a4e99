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
    /** @type {Drawn | any} */ #drawn;
    /** @type {Intl.DateTimeFormat | undefined} */ #times;

    /** @returns {(() => void)[]} */
    hold() {
      this.#drawn = JSON.parse(/** @type {any} */ (this.dataset.reading ?? null));
      this.put("range", {
        hidden: false,
        oninput: () => this.#read(true),
        onpointermove: (/** @type {PointerEvent} */ { offsetX }) => {
          const range = this.#range;
          range.valueAsNumber = Math.floor((offsetX / range.clientWidth) * this.#drawn.values.length);
          this.#read(true);
        },
      });
      this.put("table", { ontoggle: () => this.#tabulate() });
      return super.hold();
    }

    get #range() {
      return /** @type {HTMLInputElement} */ (this.piece("range"));
    }

    /** @param {Drawn | any} drawn */
    take(drawn) {
      this.#drawn = drawn;
      const { values, highest, change } = drawn;
      const { kind, textTrend } = this.dataset;
      const end = values.length;
      this.#path("shape", shape(kind, values, 0, end - 1));
      this.#path("running", shape(kind, values, end - (kind === "bar" ? 1 : 2), end));
      // A line beside a number says no more than this.
      if (!this.#range) return;
      this.put("highest", { textContent: this.#number(highest) });
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
      const daily = step === 86_400;
      this.#times ??= new Intl.DateTimeFormat(this.dataset.language, {
        dateStyle: "medium",
        timeStyle: daily ? undefined : "short",
        timeZone: this.dataset.zone,
      });
      // A day may have 23 or 25 hours: its noon is on it all the same.
      return this.#times.format(Date.parse(start) + (daily ? at + 0.5 : at) * step * 1_000);
    }
  };
