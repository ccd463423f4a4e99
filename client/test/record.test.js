import assert from "node:assert/strict";
import { test } from "node:test";
import { NotRecorded, recorder } from "../src/record/record.js";
import { settle, World } from "./world.js";

const ADDRESS = () => ({ url: "http://host.test/live/events/", csrf: "token" });
const sent = (world) => world.fetched.map(({ options }) => JSON.parse(options.body));

/** @param {(Response | Error)[]} answers */
function open(...answers) {
  const world = new World();
  let keys = 0;
  world.answer = () => {
    const answer = answers.shift();
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const record = recorder(world.env, ADDRESS, () => `key-${++keys}`);
  return { world, record };
}

test("says what happened, and answers what the server said", async () => {
  const { world, record } = open(
    Response.json({ event: { kind: "done" }, progress: { done: { total: 1 } } }),
  );
  const recorded = await record("done", { data: { score: 80 }, target: 7 });

  assert.equal(recorded.progress.done.total, 1);
  assert.deepEqual(sent(world), [{ kind: "done", key: "key-1", data: { score: 80 }, target: 7 }]);
  const { method, headers, keepalive } = world.fetched[0].options;
  assert.deepEqual([method, headers["X-CSRFToken"], keepalive], ["POST", "token", true]);
});

test("each record has a key of its own, unless one is given", async () => {
  const { world, record } = open(Response.json({}), Response.json({}), Response.json({}));
  await record("done");
  await record("done");
  await record("done", { key: "session 5" });

  assert.deepEqual(
    sent(world).map(({ key }) => key),
    ["key-1", "key-2", "session 5"],
  );
});

test("tried again with the same key while the server is away", async () => {
  const { world, record } = open(
    new TypeError("no network"),
    new Response("", { status: 503 }),
    new Response("", { status: 429, headers: { "Retry-After": "5" } }),
    Response.json({ event: {} }),
  );
  const recorded = record("done");
  for (let i = 0; i < 4; i += 1) {
    await settle();
    await world.pass(5_000);
  }

  assert.deepEqual(await recorded, { event: {} });
  assert.equal(new Set(sent(world).map(({ key }) => key)).size, 1);
  assert.equal(world.fetched.length, 4);
});

test("what is refused is not tried again", async () => {
  const { world, record } = open(Response.json({ data: "score: give a whole number" }, { status: 400 }));

  await assert.rejects(record("done", { data: { score: "x" } }), (error) => {
    assert.ok(error instanceof NotRecorded);
    assert.deepEqual([error.status, error.reasons.data], [400, "score: give a whole number"]);
    return true;
  });
  assert.equal(world.fetched.length, 1);
});

test("it ends", async () => {
  const world = new World();
  const record = recorder(world.env, ADDRESS, () => "key");
  const recorded = record("done");
  const ended = assert.rejects(recorded, { name: "NotRecorded", status: 0 });
  for (let i = 0; i < 12; i += 1) {
    await settle();
    await world.pass(60_000);
  }
  await ended;
  assert.equal(world.fetched.length, 8);
});
