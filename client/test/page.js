/**
 * A page for tests of the elements: a document without a browser, and a live client in it.
 */

import { Window } from "happy-dom";
import { SETTINGS, settle, World } from "./world.js";

const window = new Window({ url: "http://host.test/" });
for (const name of [
  "HTMLElement",
  "HTMLProgressElement",
  "CustomEvent",
  "IntersectionObserver",
  "document",
  "customElements",
])
  globalThis[name] = window[name];

// The elements extend HTMLElement, so they are loaded when there is one.
const { Client } = await import("../src/client.js");
const { define } = await import("../src/define.js");

export { define, window };

const ITEM = `<article class="live-event" tabindex="0"><span data-live="icon"></span><a data-live="text"></a>
<time data-live="time"></time></article>`;

export const card = (topic, value, text, decimals = 0) =>
  `<live-counter topic="${topic}~s" value="${value}" decimals="${decimals}"><i>icon</i>
   <data data-live="value" value="${value}">${text}</data></live-counter>`;

const MORE = "/live/events/?topic=feed~s&limit=2&cursor=";

export const feed = (seqs = [], limit = 3) =>
  `<live-feed topic="feed~s" epoch="ab12" seq="${seqs[0] ?? 0}" limit="${limit}" data-text-new="{number} new">
   <button data-live="pause" aria-pressed="false">Pause</button><button data-live="new" hidden></button>
   <span role="status" data-live="said"></span><div role="feed" data-live="list">${seqs
     .map((seq) => ITEM.replace("<article", `<article data-seq="${seq}" data-key="${seq}"`))
     .join("")}</div><template data-live="item">${ITEM}</template>
   <p data-live="empty" ${seqs.length ? "hidden" : ""}>Nothing yet</p>
   <a data-live="older" href="/?older-1=ab12-1-1" data-more="${MORE}">Older</a></live-feed>`;

/** Shows this markup to a fresh client whose socket is live. */
export async function open(markup) {
  const world = new World();
  const client = new Client(world.env, SETTINGS);
  document.body.innerHTML = "";
  define(client, customElements);
  document.body.innerHTML = markup;
  const heard = [];
  for (const name of ["live:change", "live:event"]) {
    document.body.addEventListener(name, (event) => heard.push(event.detail));
  }
  await settle();
  world.socket?.opens();
  const says = (frame) => world.socket.says(frame);
  return { world, client, heard, says, find: (selector) => document.body.querySelector(selector) };
}
