import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../src/lifecycle.js";
import { World } from "./world.js";

function setUp() {
  const [window, document, world] = [new EventTarget(), {}, new World()];
  const calls = [];
  const connection = {
    running: true,
    start: () => calls.push("start"),
    stop: () => calls.push("stop"),
    wake: () => calls.push("wake"),
  };
  follow(window, document, connection, world.env);
  calls.length = 0;
  // Events of the document pass the window on their way down.
  const tell = (name) => window.dispatchEvent(new Event(name));
  const shown = (seen) => {
    document.hidden = !seen;
    tell("visibilitychange");
  };
  return { world, connection, calls, shown, window: tell };
}

for (const [away, back] of [
  ["pagehide", "pageshow"],
  ["freeze", "resume"],
]) {
  test(`a page lets go at ${away}, and takes hold at ${back}`, () => {
    const { window: tell, calls } = setUp();
    tell(away);
    tell(back);
    tell(back);
    assert.deepEqual(calls, ["stop", "start", "wake"]);
  });
}

test("a page that had no connection gets none by coming back", () => {
  const { window, connection, calls } = setUp();
  connection.running = false;
  window("pagehide");
  window("pageshow");
  assert.deepEqual(calls, ["stop", "wake"]);
});

test("being seen, being hidden and being online are told at once", () => {
  const { window, shown, calls } = setUp();
  window("online");
  shown(false);
  shown(true);
  assert.deepEqual(calls, ["wake", "wake", "wake"]);
});

test("hidden for five minutes it lets go; only being seen brings it back", async () => {
  const { world, window, shown, calls } = setUp();
  shown(false);
  await world.pass(299_999);
  assert.deepEqual(calls, ["wake"]);
  await world.pass(1);
  window("online");
  assert.deepEqual(calls, ["wake", "stop"]);
  shown(true);
  assert.deepEqual(calls, ["wake", "stop", "start"]);
});

test("seen in between, the five minutes begin anew", async () => {
  const { world, shown, calls } = setUp();
  shown(false);
  await world.pass(200_000);
  shown(true);
  await world.pass(200_000);
  shown(false);
  await world.pass(200_000);
  assert.ok(!calls.includes("stop"));
});

test("a tab that was opened in the background lets go, too", async () => {
  const [window, document, world] = [new EventTarget(), {}, new World()];
  document.hidden = true;
  const calls = [];
  const connection = { running: true, wake: () => {}, stop: () => calls.push("stop") };
  follow(window, document, connection, world.env);
  await world.pass(300_000);
  assert.deepEqual(calls, ["stop"]);
});

test("a hand on the mouse, a key and reading on are signs of life", () => {
  for (const name of ["pointermove", "keydown", "scroll"]) {
    const { world, window } = setUp();
    world.isTouched = false;
    window(name);
    assert.equal(world.env.attended(), true);
  }
});
