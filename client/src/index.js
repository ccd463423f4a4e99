/**
 * The entry: reads what the server wrote into the page and brings its elements to life.
 */

import { Client } from "./client.js";
import { define } from "./define.js";
import { browser } from "./environment.js";
import { Facts } from "./facts.js";
import { follow } from "./lifecycle.js";
import { readSettings } from "./settings.js";

const settings = readSettings(document);
const client = settings && new Client(browser(), settings);
export const live = new Facts(client);

if (client) {
  const { dataset } = document.documentElement;
  client.watch((state) => {
    dataset.liveState = state;
  });
  follow(window, document, client.connection, client.env);
  define(client, customElements);
}
