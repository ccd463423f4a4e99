/**
 * `<live-notifications achievements>`: tells the reader what they have reached: a line for the small
 * things, a dialog for the great ones, one summary for many at once. Of all the reader's open pages,
 * the first to say that it was seen shows it.
 *
 * @typedef {{id: number, text: string, icon: string, great: boolean}} Achievement
 */

/** More at once than this are told together. */
const STORM = 3;
const SHOWN_FOR = 6_000;

/** @param {typeof import("../element.js").LiveElement} Base */
export const notificationsOf = (Base) =>
  class LiveNotifications extends Base {
    #busy = false;

    /** @returns {(() => void)[]} */
    hold() {
      const whole = (/** @type {string} */ _topic, /** @type {any} */ own) => this.#take(own);
      return [this.client.store.subscribe("progress", { whole })];
    }

    get #address() {
      return this.getAttribute("achievements") ?? "";
    }

    /** @param {{unseen: number, unread: number}} own */
    #take({ unseen, unread }) {
      this.dataset.unread = String(unread);
      const count = this.piece("unread");
      if (count) count.textContent = this.client.format.value(unread, 0);
      if (unseen && this.#address && !this.client.env.hidden() && !this.#busy) void this.#show();
    }

    async #show() {
      this.#busy = true;
      try {
        const { results } = await this.#ask(`${this.#address}?unseen=1`, "GET");
        if (results.length > STORM) await this.#summary(results.length);
        else for (const one of results.reverse()) await this.#one(one);
      } catch (error) {
        this.client.env.report(error);
      } finally {
        this.#busy = false;
      }
    }

    /** @param {Achievement} one */
    async #one(one) {
      const { new: mine } = await this.#ask(`${this.#address}${one.id}/seen/`, "POST");
      if (!mine) return;
      this.announce("live:achievement", one);
      if (one.great) this.#celebrate(one);
      else this.#toast(one.text, one.icon);
    }

    /** @param {number} number */
    async #summary(number) {
      const { new: mine } = await this.#ask(`${this.#address}seen/`, "POST");
      if (!mine) return;
      const words = this.dataset.textMany ?? "{number}";
      this.#toast(words.replace("{number}", this.client.format.value(number, 0)), "star");
    }

    /**
     * @param {string} text
     * @param {string} icon
     */
    #toast(text, icon) {
      const toast = Object.assign(document.createElement("p"), {
        className: "live-toast",
        textContent: text,
      });
      toast.dataset.icon = icon;
      (this.piece("toasts") ?? this).append(toast);
      this.client.env.setTimeout(() => toast.remove(), SHOWN_FOR);
    }

    /** @param {Achievement} one */
    #celebrate(one) {
      const dialog = /** @type {HTMLDialogElement | null} */ (this.piece("dialog"));
      const text = this.piece("celebrated");
      if (!dialog?.showModal || !text || dialog.open) return this.#toast(one.text, one.icon);
      text.textContent = one.text;
      const icon = this.piece("celebrated-icon");
      if (icon) icon.dataset.icon = one.icon;
      dialog.showModal();
    }

    /**
     * @param {string} url
     * @param {string} method
     */
    async #ask(url, method) {
      const headers = /** @type {Record<string, string>} */ ({ Accept: "application/json" });
      if (method === "POST") headers["X-CSRFToken"] = this.dataset.csrf ?? "";
      const answer = await this.client.env.fetch(url, { method, headers, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
      return answer.json();
    }
  };
