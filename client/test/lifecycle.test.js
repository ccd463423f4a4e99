import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../src/lifecycle.js";

function setUp() {
  const [window, document] = [new EventTarget(), new EventTarget()];
  const calls = [];
  const connection = {
    running: true,
    start: () => calls.push("start"),
    stop: () => calls.push("stop"),
    wake: () => calls.push("wake"),
  };
  follow(window, document, connection);
  const shows = (persisted) => window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
  return { window, document, connection, calls, shows };
}

test("a page that is put aside lets go, and takes hold when it comes back", () => {
  const { window, calls, shows } = setUp();
  shows(false);
  window.dispatchEvent(new Event("pagehide"));
  shows(true);
  assert.deepEqual(calls, ["stop", "start"]);
});

test("a page that had no connection gets none by coming back", () => {
  const { window, connection, calls, shows } = setUp();
  connection.running = false;
  window.dispatchEvent(new Event("pagehide"));
  shows(true);
  assert.deepEqual(calls, ["stop"]);
});

test("being seen and being online wake it, being hidden does not", () => {
  const { window, document, calls } = setUp();
  window.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  document.hidden = true;
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(calls, ["wake", "wake"]);
});
