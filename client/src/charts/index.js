/**
 * The script of charts, breakdowns and leaderboards, for pages that show them. It builds on the elements of
 * the first, wherever that was loaded from: hashed static files cannot import each other by name.
 */

import { chartOf } from "./chart.js";
import { linesOf } from "./lines.js";
import { readingOf } from "./reading.js";

const counter = await customElements.whenDefined("live-counter");
const Base = readingOf(
  /** @type {typeof import("../element.js").LiveElement} */ (Object.getPrototypeOf(counter)),
);
for (const [name, element] of Object.entries({
  "live-chart": chartOf(Base),
  "live-breakdown": linesOf(Base),
  "live-leaderboard": linesOf(Base),
})) {
  customElements.get(name) ?? customElements.define(name, element);
}
