import assert from "node:assert/strict";
import { test } from "node:test";
import { Polling } from "../src/polling.js";
import { snapshot, UNCHANGED, World } from "./world.js";

function setUp(requests = [{ topics: ["feed~s"], position: { epoch: "ab12", seq: 1 } }]) {
  const world = new World();
  const log = [];
  const polling = new Polling(world.env, "http://host.test/live/snapshot/", {
    requests: () => requests,
    snapshot: (answer) => log.push(answer.seq),
    polled: (position) => log.push(`seen ${position?.seq}`),
    failed: (error) => log.push(error.message ?? error.name),
  });
  return { world, log, polling };
}

test("asks for its topics with the position, then every five seconds", async () => {
  const { world, log, polling } = setUp();
  world.answer = () => snapshot();
  polling.start();
  await world.pass(10_600);
  assert.equal(world.fetched.length, 3);
  assert.equal(world.fetched[0].url.search, "?topic=feed%7Es&epoch=ab12&seq=1");
  assert.deepEqual(log.slice(0, 2), [1, "seen 1"]);
});

test("says what it knows, and nothing new is a success", async () => {
  const { world, log, polling } = setUp();
  world.answer = (_, { headers }) => (headers["If-None-Match"] === '"1"' ? UNCHANGED() : snapshot());
  polling.start();
  await world.pass(11_000);
  assert.deepEqual(log, [1, "seen 1", "seen 1", "seen 1"]);
});

test("several portions are seen up to the lowest", async () => {
  const { world, log, polling } = setUp([
    { topics: ["a"], position: null },
    { topics: ["b"], position: null },
  ]);
  let seq = 9;
  world.answer = () => snapshot({ seq: seq-- });
  polling.start();
  await world.pass(1_000);
  assert.deepEqual(log, [9, 8, "seen 8"]);
});

test("a hidden tab asks nothing until it is seen again", async () => {
  const { world, polling } = setUp();
  world.answer = () => snapshot();
  world.isHidden = true;
  polling.start();
  await world.pass(60_000);
  assert.equal(world.fetched.length, 0);
  world.isHidden = false;
  polling.wake();
  await world.pass(0);
  assert.equal(world.fetched.length, 1);
});

test("an answer that comes after the end is thrown away", async () => {
  const { world, log, polling } = setUp();
  let give;
  world.answer = () => new Promise((resolve) => (give = resolve));
  polling.start();
  await world.pass(1_000);
  polling.stop();
  give(snapshot());
  await world.pass(60_000);
  assert.deepEqual(log, []);
  assert.equal(world.timers, 0);
});

test("tells of failures, and the server's wish to be left alone counts", async () => {
  const { world, log, polling } = setUp();
  world.answer = () => new Response("", { status: 503, headers: { "Retry-After": "60" } });
  polling.start();
  await world.pass(59_000);
  assert.equal(world.fetched.length, 1);
  await world.pass(3_000);
  assert.equal(world.fetched.length, 2);
  assert.match(log[0], /^503 /);
});

test("a login page is no snapshot", async () => {
  const { world, log, polling } = setUp();
  world.answer = () => new Response("<!doctype html>");
  polling.start();
  await world.pass(1_000);
  assert.match(log[0], /without a snapshot/);
});

test("a question without an answer is given up", async () => {
  const { world, log, polling } = setUp();
  world.answer = (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  polling.start();
  await world.pass(10_600);
  assert.equal(log.length, 1);
});
