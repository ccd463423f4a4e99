/**
 * Registers the elements. A name that is taken stays as it is: the script may run twice in a page.
 */

import { LiveCounter } from "./counter.js";
import { LiveElement } from "./element.js";
import { LiveFeed } from "./feed.js";
import { LiveOnline } from "./online.js";
import { LiveStatus } from "./status.js";

/** @type {Record<string, typeof LiveElement>} */
const ELEMENTS = {
  "live-counter": LiveCounter,
  "live-feed": LiveFeed,
  "live-online": LiveOnline,
  "live-status": LiveStatus,
};

/**
 * @param {import("./client.js").Client} client
 * @param {CustomElementRegistry} registry
 */
export function define(client, registry) {
  LiveElement.client = client;
  for (const [name, element] of Object.entries(ELEMENTS)) {
    if (!registry.get(name)) registry.define(name, element);
  }
}
