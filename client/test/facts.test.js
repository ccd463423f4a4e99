import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/client.js";
import { Facts } from "../src/facts.js";
import { AT, event, SETTINGS, settle, World } from "./world.js";

async function setUp(...tokens) {
  const world = new World();
  const facts = new Facts(new Client(world.env, SETTINGS));
  const releases = tokens.map((token) => facts.follow(token));
  await settle();
  world.socket?.opens();
  return { world, facts, releases, says: (frame) => world.socket.says({ at: AT, ...frame }) };
}

test("the four facts", async () => {
  const { facts, says } = await setUp("counter:a~s", "online:site~s", "feed~s");
  assert.deepEqual(facts.getSnapshot(), {
    status: "connecting",
    connected: false,
    values: {},
    online: null,
    events: {},
  });
  const online = { people: 2, guests: 1, connections: 4 };
  says({ op: "values", values: { "counter:a": 5, "online:site": online } });
  says({ op: "reset", topic: "feed", events: [event(1)] });
  says({ op: "events", topic: "feed", events: [event(1), event(2)] });
  assert.deepEqual(facts.getSnapshot(), {
    status: "live",
    connected: true,
    values: { "counter:a": 5, "online:site": online },
    online,
    events: { feed: [event(1), event(2)] },
  });
});

test("a whole reading is a value, too", async () => {
  const { facts, says } = await setUp("breakdown:en:ever:3:tiers~s");
  const reading = { lines: [{ name: "Gold", value: 3 }] };
  says({ op: "values", values: { "breakdown:en:ever:3:tiers": reading } });
  assert.deepEqual(facts.getSnapshot().values, { "breakdown:en:ever:3:tiers": reading });
});

test("one object until something changes, and never changed itself", async () => {
  const { facts, says } = await setUp("counter:a~s");
  says({ op: "values", values: { "counter:a": 5 } });
  const before = facts.getSnapshot();
  assert.equal(facts.getSnapshot(), before);
  says({ op: "pong" });
  assert.equal(facts.getSnapshot(), before);
  says({ op: "values", values: { "counter:a": 6 } });
  assert.deepEqual([before.values["counter:a"], facts.getSnapshot().values["counter:a"]], [5, 6]);
});

test("listeners are told until they leave; one that fails does not stop the others", async () => {
  const { world, facts, says } = await setUp("counter:a~s");
  const told = [];
  facts.subscribe(() => {
    throw new Error("broken");
  });
  const end = facts.subscribe(() => told.push(facts.getSnapshot().values["counter:a"]));
  says({ op: "values", values: { "counter:a": 5 } });
  end();
  says({ op: "values", values: { "counter:a": 6 } });
  assert.equal(told.at(-1), 5);
  assert.ok(world.errors.length > 0);
});

test("what is let go is forgotten, unless another follows it", async () => {
  const { world, facts, releases, says } = await setUp("counter:a~s", "counter:a~s");
  says({ op: "values", values: { "counter:a": 5 } });
  releases[0]();
  assert.deepEqual(facts.getSnapshot().values, { "counter:a": 5 });
  releases[1]();
  assert.deepEqual(facts.getSnapshot().values, {});
  await settle();
  assert.equal(world.socket.readyState, 3);
});

test("not more events than the server keeps", async () => {
  const { facts, says } = await setUp("feed~s");
  for (let seq = 1; seq <= 60; seq += 1) says({ op: "events", topic: "feed", events: [event(seq)] });
  const { feed } = facts.getSnapshot().events;
  assert.deepEqual([feed.length, feed[0].seq, feed.at(-1).seq], [50, 11, 60]);
});

test("a page that does not speak of us", () => {
  const facts = new Facts(null);
  facts.follow("counter:a~s")();
  facts.subscribe(() => {})();
  assert.equal(facts.getSnapshot().status, "connecting");
});
