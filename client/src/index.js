/**
 * The entry: reads what the server wrote into the page and brings its elements to life.
 */

import { Client } from "./client.js";
import { define } from "./define.js";
import { browser } from "./environment.js";
import { follow } from "./lifecycle.js";
import { readSettings } from "./settings.js";

const settings = readSettings(document);
if (settings) {
  const client = new Client(browser(), settings);
  const { dataset } = document.documentElement;
  client.watch((state) => {
    dataset.liveState = state;
  });
  follow(window, document, client.connection);
  define(client, customElements);
}
