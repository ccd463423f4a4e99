/**
 * The second script, for pages that show the reader's own progress. It builds on the elements of the
 * first, wherever that was loaded from: hashed static files cannot import each other by name.
 */

import { notificationsOf } from "./notifications.js";
import { progressOf } from "./progress.js";

const counter = await customElements.whenDefined("live-counter");
const Base = /** @type {typeof import("../element.js").LiveElement} */ (Object.getPrototypeOf(counter));
for (const [name, element] of Object.entries({
  "live-progress": progressOf(Base),
  "live-notifications": notificationsOf(Base),
})) {
  if (!customElements.get(name)) customElements.define(name, element);
}
