/**
 * `<live-online topic room>`: how many are here. A counter of people and guests together that shows
 * both apart, too, and the connections. With `room`, who looks at it is in that room.
 */

import { LiveCounter } from "./counter.js";
import { write } from "./element.js";

const PARTS = /** @type {const} */ (["people", "guests", "connections"]);

export class LiveOnline extends LiveCounter {
  static observedAttributes = ["topic", "room"];

  /** @returns {(() => void)[]} */
  hold() {
    const room = this.getAttribute("room");
    return room ? [...super.hold(), this.client.store.enter(room)] : super.hold();
  }

  /** @returns {import("./store.js").Subscriber} */
  hears() {
    return {
      online: (topic, online) => {
        for (const part of PARTS) {
          const piece = this.piece(part);
          if (piece) write(piece, this.client.format.value(online[part], 0));
        }
        this.take(topic, online.people + online.guests);
      },
    };
  }
}
