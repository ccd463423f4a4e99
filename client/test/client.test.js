import assert from "node:assert/strict";
import { test } from "node:test";
import { card, feed, open } from "./page.js";
import { AT, event, snapshot } from "./world.js";

test("a whole day: live, lost, polled, live again, nothing missed and nothing twice", async () => {
  const { world, client, says, find } = await open(card("counter:a", 1, "1") + feed([7]));
  says({ op: "values", values: { "counter:a": 2 }, at: AT, seq: 7 });
  says({ op: "events", topic: "feed", events: [], seq: 7 });
  world.socket.dies();
  await world.pass(500);
  world.socket.dies();
  world.answer = () => snapshot({ values: { "counter:a": 3 }, events: { feed: [event(8)] }, seq: 8 });
  await world.pass(1_000);
  assert.equal(client.connection.state, "polling");
  assert.equal(world.fetched[0].url.searchParams.get("seq"), "7");
  assert.equal(find("data").textContent, "3");
  client.connection.wake();
  world.socket.opens();
  assert.equal(world.socket.asked("subscribe")[0].seq, 8);
  says({ op: "events", topic: "feed", events: [event(8), event(9)], seq: 9 });
  const shown = [...document.querySelectorAll("li")].map((item) => item.dataset.seq);
  assert.deepEqual([client.connection.state, shown], ["live", ["9", "8", "7"]]);
});

test("an error in one watcher does not stop the others", async () => {
  const { world, client, says } = await open(card("counter:a", 1, "1"));
  const states = [];
  let first = true;
  client.watch(() => {
    if (!first) throw new Error("broken");
    first = false;
  });
  client.watch((state) => states.push(state));
  says({ op: "pong", at: AT });
  assert.deepEqual([states, world.errors.length], [["connecting", "live"], 1]);
});
