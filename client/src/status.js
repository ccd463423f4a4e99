/**
 * `<live-status>`: says in words how the page is connected, and in `data-state` for the style sheet.
 */

import { LiveElement, write } from "./element.js";

export class LiveStatus extends LiveElement {
  /** @returns {(() => void)[]} */
  hold() {
    if (!this.hasAttribute("role")) this.setAttribute("role", "status");
    return [this.client.watch((state) => this.#show(state))];
  }

  /** @param {import("./connection.js").State} state */
  #show(state) {
    this.dataset.state = state;
    // What the server said stands until there is something to say.
    write(this, this.client.text(state) || this.textContent);
  }
}
