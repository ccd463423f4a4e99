import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/client.js";
import { Browser } from "./browser.js";
import { card, feed, open } from "./page.js";
import { AT, event, SETTINGS, settle, snapshot } from "./world.js";

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
  const shown = [...document.querySelectorAll("article")].map((item) => item.dataset.seq);
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

/** A page without elements: follows a feed from a place, and notes what it hears. */
async function tab(browser, seq) {
  const world = browser.tab();
  const client = new Client(world.env, SETTINGS);
  const heard = new Set();
  const hear = (_, events) => {
    for (const each of events) heard.add(each.seq);
  };
  client.store.subscribe("feed~s", { events: hear, reset: hear }, { epoch: "ab12", seq });
  const states = [];
  client.watch((state) => states.push(state));
  await settle();
  return { world, client, heard, states };
}

test("another tab takes over in no time, each resumes where it stands, the state stays", async () => {
  const browser = new Browser();
  const tabs = [await tab(browser, 7), await tab(browser, 7), await tab(browser, 7)];
  const [socket] = tabs[0].world.sockets;
  socket.opens();
  socket.says({ op: "events", topic: "feed", events: [event(8)], seq: 8 });
  await settle();
  browser.crash(tabs[0].world);
  await settle();
  const [next] = tabs[1].world.sockets;
  next.opens();
  await settle();
  assert.deepEqual(
    next.asked("subscribe").map(({ seq }) => seq),
    [8, 8],
  );
  next.says({ op: "events", topic: "feed", events: [event(9)], seq: 9 });
  await settle();
  for (const { heard, states } of tabs.slice(1)) {
    assert.deepEqual([...heard], [8, 9]);
    assert.deepEqual(states, ["connecting", "live"]);
  }
});

test("a server that restarts: all lose the socket, one opens it again for all", async () => {
  const browser = new Browser();
  const tabs = [await tab(browser, 7), await tab(browser, 7)];
  browser.socket.opens();
  browser.socket.pongs();
  await settle();
  tabs[0].world.socket.dies(1012);
  await settle();
  assert.deepEqual(
    tabs.map(({ client }) => client.connection.state),
    ["reconnecting", "reconnecting"],
  );
  await browser.pass(2_000);
  assert.equal(browser.sockets.length, 1);
  browser.socket.opens();
  await settle();
  browser.socket.pongs(9);
  await settle();
  assert.deepEqual(
    tabs.map(({ client }) => client.connection.state),
    ["live", "live"],
  );
});

test("a paused page that comes back shows no older number, and says nothing of its absence", async () => {
  const { world, client, says } = await open(card("counter:a", 1, "1"));
  says({ op: "values", values: { "counter:a": 2 }, at: AT, seq: 7 });
  client.connection.stop();
  await world.pass(3_600_000);
  client.connection.start();
  const late = [];
  client.store.subscribe("counter:a~s", { value: (_, value) => late.push(value) });
  assert.deepEqual([client.connection.state, late], ["live", []]);
  world.socket.opens();
  says({ op: "values", values: { "counter:a": 9 }, at: AT, seq: 99 });
  assert.deepEqual([client.connection.state, late], ["live", [9]]);
});
