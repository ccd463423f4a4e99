import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import * as frames from "../src/frames.js";
import { AT } from "./world.js";

const GOLDEN = new URL("../../tests/frames/", import.meta.url);

const BUILD = {
  subscribe: ({ topics, epoch, seq }) =>
    frames.subscribe(topics, epoch === undefined ? null : { epoch, seq }),
  unsubscribe: ({ topics }) => frames.unsubscribe(topics),
  presence: ({ op, ...what }) => frames.presence(what),
  ping: () => frames.ping(),
};

for (const name of readdirSync(GOLDEN).filter((file) => file.endsWith(".json"))) {
  const { direction, valid, text, frame } = JSON.parse(readFileSync(new URL(name, GOLDEN), "utf8"));
  if (direction === "server") {
    test(`golden ${name}`, () => assert.deepEqual(frames.parse(text), valid ? frame : null));
  } else if (valid) {
    test(`golden ${name}`, () => assert.equal(BUILD[frame.op](frame), text));
  }
}

test("a newer server may say more, in a frame, an event and a snapshot", () => {
  const event = {
    seq: 1,
    key: "1",
    kind: "k",
    text: "t",
    icon: "",
    at: AT,
    actor: null,
    target: null,
    data: {},
    later: [1],
  };
  const place = { epoch: "e", seq: 3, later: { a: 1 } };
  for (const frame of [
    { op: "values", values: { "counter:a": 1, "later:x": [1] }, at: AT, ...place },
    { op: "events", topic: "feed", events: [event], ...place },
    { op: "error", code: "later", ...place },
  ]) {
    assert.deepEqual(frames.parse(JSON.stringify(frame)), frame);
  }
  const snapshot = {
    op: "snapshot",
    at: AT,
    values: {},
    events: { feed: [event] },
    reset: [],
    unavailable: [],
    ...place,
  };
  assert.deepEqual(frames.parseSnapshot(JSON.stringify(snapshot)), snapshot);
  assert.equal(frames.parse(JSON.stringify({ op: "later", ...place })), null);
});

test("only text is a frame", () => {
  for (const data of [undefined, null, 7, new ArrayBuffer(4)]) assert.equal(frames.parse(data), null);
});

test("the topic of a token is all before its last tilde", () => {
  assert.equal(frames.topicOf("counter:a:7~sig"), "counter:a:7");
  assert.equal(frames.topicOf("counter:a:x~y~sig"), "counter:a:x~y");
  assert.equal(frames.topicOf("feed"), "feed");
});

test("three close codes are final", () => {
  const codes = [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4400, 4403, 4408, 4426, 4429, 4999];
  assert.deepEqual(codes.filter(frames.isFinal), [4400, 4403, 4426]);
});

test("a counter can show numbers, numbers as text, and nothing", () => {
  for (const value of [0, -1.5, "12.50", "-3", "1E+3", null]) assert.ok(frames.isValue(value), String(value));
  for (const value of [true, {}, [], "", "12 apples", "NaN", undefined]) assert.ok(!frames.isValue(value));
});

test("who is in a room are three whole numbers", () => {
  assert.ok(frames.isOnline({ people: 2, guests: 1, connections: 4 }));
  for (const wrong of [null, 3, {}, { people: 2, guests: -1, connections: 4 }, { people: 2, guests: 1 }]) {
    assert.ok(!frames.isOnline(wrong));
  }
});

test("a snapshot may leave out empty lists", () => {
  const text = JSON.stringify({ op: "snapshot", at: AT, epoch: "e", seq: 3 });
  const whole = {
    op: "snapshot",
    at: AT,
    epoch: "e",
    seq: 3,
    values: {},
    events: {},
    reset: [],
    unavailable: [],
  };
  assert.deepEqual(frames.parseSnapshot(text), whole);
});

test("what is no snapshot is refused", () => {
  const good = { op: "snapshot", at: AT, epoch: "e", seq: 3 };
  for (const wrong of [
    { op: "values" },
    { seq: -1 },
    { at: "now" },
    { values: [] },
    { events: { feed: [7] } },
  ]) {
    assert.equal(frames.parseSnapshot(JSON.stringify({ ...good, ...wrong })), null);
  }
  assert.equal(frames.parseSnapshot("<!doctype html>"), null);
});
