/**
 * The third script, for pages that say what happens in them:
 * `import { record } from "livecounters/record.js"`. The page says where to, by `{% live_recorder %}`.
 */

import { recorder } from "./record.js";

export { NotRecorded } from "./record.js";

const send = recorder(
  {
    fetch: (url, options) => fetch(url, options),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    random: Math.random,
  },
  () => {
    const meta = /** @type {HTMLMetaElement | null} */ (
      document.querySelector('meta[name="livecounters-record"]')
    );
    if (!meta?.content) {
      throw new Error("livecounters: put {% live_recorder %} into the page; only who is signed in records.");
    }
    return { url: new URL(meta.content, document.baseURI).href, csrf: meta.dataset.csrf ?? "" };
  },
  // An unencrypted page has no crypto.randomUUID.
  () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-"),
);

/**
 * Records an activity that is declared `client=True`, for the reader. Tried again while the server is
 * away; however often it is sent, it counts once. Give the `key` yourself where the page may ask again.
 *
 * @param {string} kind
 * @param {import("./record.js").Given} [given]
 */
export async function record(kind, given) {
  const recorded = await send(kind, given);
  document.dispatchEvent(new CustomEvent("live:recorded", { detail: recorded }));
  return recorded;
}
