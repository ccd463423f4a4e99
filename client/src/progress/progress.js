/**
 * `<live-progress topic="progress">`: what the reader has attained, kept true. Its markup says where
 * each number goes: `data-live="goals.day.percent"` is a path into the counter of the card it is in.
 *
 * @typedef {import("../element.js").LiveElement} LiveElement
 * @typedef {{progress: Record<string, any>, newest: number | null, unseen: number, unread: number}} Own
 */

/** @param {typeof import("../element.js").LiveElement} Base */
export const progressOf = (Base) =>
  class LiveProgress extends Base {
    /** @returns {(() => void)[]} */
    hold() {
      const whole = (/** @type {string} */ _topic, /** @type {Own} */ own) => this.#take(own);
      return [this.client.store.subscribe(this.getAttribute("topic") ?? "progress", { whole })];
    }

    /** @param {Own} own */
    #take({ progress }) {
      for (const card of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-name]"))) {
        const found = progress?.[card.dataset.name ?? ""];
        if (found) this.#fill(card, found);
      }
      this.announce("live:progress", progress);
    }

    /**
     * @param {HTMLElement} card
     * @param {any} found
     */
    #fill(card, found) {
      for (const piece of all(card, "[data-live]")) this.#write(piece, at(found, piece.dataset.live));
      for (const ring of all(card, "[data-live-ring]")) {
        const part = Math.max(0, Math.min(100, Number(at(found, ring.dataset.liveRing) ?? 0)));
        ring.setAttribute("stroke-dasharray", `${part} 100`);
      }
      for (const graded of all(card, "[data-live-level]")) {
        const level = levelOf(Number(at(found, graded.dataset.liveLevel) ?? 0), graded.dataset.levels ?? "");
        if (level) graded.dataset.level = level;
        else delete graded.dataset.level;
        for (const said of all(graded, "[data-when]")) said.hidden = said.dataset.when !== level;
      }
    }

    /**
     * @param {HTMLElement} piece
     * @param {any} value
     */
    #write(piece, value) {
      if (piece instanceof HTMLProgressElement) {
        piece.value = Math.min(100, Number(value ?? 0));
        return;
      }
      const decimals = Number(piece.dataset.decimals ?? 0);
      const show = (/** @type {any} */ shown) => {
        const whole = "floor" in piece.dataset && typeof shown === "number" ? Math.floor(shown) : shown;
        const text = this.client.format.value(whole, decimals);
        if (piece.textContent !== text) piece.textContent = text;
      };
      const { animation } = this.client;
      const before = Number.parseFloat(piece.getAttribute("value") ?? "");
      const now = value ?? null;
      piece.setAttribute("value", now === null ? "" : String(now));
      const glides = typeof now === "number" && !Number.isNaN(before) && before !== now;
      if (glides) return animation.glide(piece, before, now, show, () => show(now));
      animation.stop(piece);
      show(now);
    }
  };

/**
 * @param {Element} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
function all(root, selector) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(selector))];
}

/**
 * @param {any} found
 * @param {string | undefined} path
 */
function at(found, path) {
  return (path ?? "").split(".").reduce((inner, key) => inner?.[key], found);
}

/**
 * The highest level that a value has reached, of "near:70 done:100".
 * @param {number} value
 * @param {string} levels
 */
export function levelOf(value, levels) {
  const reached = levels
    .split(/\s+/)
    .map((level) => level.split(":"))
    .filter(([name, least]) => name && value >= Number(least))
    .sort(([, a], [, b]) => Number(a) - Number(b));
  return reached.at(-1)?.[0] ?? "";
}
