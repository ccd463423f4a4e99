/**
 * `<live-breakdown topic>` and `<live-leaderboard topic own>`: lines with names and numbers, kept true.
 * Each `data-live` of a line says what goes there; whose line it is tells the mark in `own`.
 *
 * @typedef {Record<string, any>} Line  a name, or numbers as they travel
 */

/** @param {ReturnType<typeof import("./reading.js").readingOf>} Base */
export const linesOf = (Base) =>
  class LiveLines extends Base {
    /** @param {{lines: Line[]}} value */
    take({ lines }) {
      const list = this.piece("list");
      const blank = /** @type {HTMLTemplateElement | null} */ (this.piece("item"))?.content.firstElementChild;
      if (!list || !blank) return;
      const before = list.textContent;
      while (list.children.length < lines.length) list.append(blank.cloneNode(true));
      [...list.children].forEach((item, n) => {
        if (lines[n]) this.#say(lines[n], item);
        else item.remove();
      });
      if (before !== list.textContent) this.put("aged", { hidden: false });
      this.put("empty", { hidden: lines.length || this.piece("beside") });
    }

    /**
     * @param {Line} line
     * @param {Element} item
     */
    #say(line, item) {
      for (const piece of /** @type {NodeListOf<any>} */ (item.querySelectorAll("[data-live]"))) {
        const { live, decimals = 0 } = piece.dataset;
        const value = line[live];
        if (live === "you") {
          const mine = line.own === this.getAttribute("own");
          piece.hidden = !mine;
          item.ariaCurrent = /** @type {any} */ (mine || null);
        } else {
          piece.value = value ?? "";
          this.write(piece, live === "name" ? value : this.client.format.value(value, decimals));
        }
      }
    }
  };
