/**
 * What charts, breakdowns and leaderboards share: a topic whose every value is the whole picture.
 * Dispatches `live:reading` with {topic, value}.
 *
 * @param {typeof import("../element.js").LiveElement} Base
 */
export const readingOf = (Base) =>
  class LiveReading extends Base {
    /** @returns {(() => void)[]} */
    hold() {
      const whole = (/** @type {string} */ topic, /** @type {any} */ value) => {
        /** @type {any} */ (this).take(value);
        this.announce("live:reading", { topic, value });
      };
      return [this.client.store.subscribe(/** @type {string} */ (this.getAttribute("topic")), { whole })];
    }

    /**
     * Writes only what differs: there may be thousands of cells.
     * @param {Element | null} piece
     * @param {string} text
     */
    write(piece, text) {
      if (piece && piece.textContent !== text) piece.textContent = text;
    }

    /**
     * Changes a piece, if it is there.
     * @param {string} name
     * @param {object} properties
     */
    put(name, properties) {
      Object.assign(this.piece(name) ?? {}, properties);
    }
  };
