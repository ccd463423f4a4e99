import assert from "node:assert/strict";
import { test } from "node:test";
import { Socket } from "../src/socket.js";
import { World } from "./world.js";

function open() {
  const world = new World();
  const log = [];
  const socket = new Socket(world.env, "ws://host.test/", {
    opened: () => log.push("opened"),
    received: (frame) => log.push(frame.op),
    closed: (code) => log.push(code),
  });
  return { world, log, socket, fake: world.socket };
}

test("asks for a sign of life as soon as it is open, then every 25 seconds", async () => {
  const { world, log, fake } = open();
  fake.opens();
  fake.pongs();
  await world.pass(25_000);
  fake.pongs();
  assert.equal(fake.asked("ping").length, 2);
  assert.deepEqual(log, ["opened", "pong", "pong"]);
});

test("given up without an answer, told once, and no timer is left", async () => {
  const { world, log, fake } = open();
  fake.opens();
  fake.pongs();
  await world.pass(35_000);
  fake.dies();
  assert.deepEqual(log.slice(2), [1006]);
  assert.equal(world.timers, 0);
});

test("given up when it never opens", async () => {
  const { world, log } = open();
  await world.pass(10_000);
  assert.deepEqual(log, [1006]);
});

test("any frame is a sign of life", async () => {
  const { world, log, fake } = open();
  fake.opens();
  fake.pongs();
  await world.pass(25_000);
  fake.says({ op: "error", code: "unavailable" });
  await world.pass(9_000);
  assert.ok(!log.includes(1006));
});

test("one that opens again is asked again, and pinged by one timer still", async () => {
  const { world, log, fake } = open();
  fake.opens();
  fake.opens();
  fake.pongs();
  assert.deepEqual([log, fake.asked("ping").length], [["opened", "opened", "pong"], 2]);
  await world.pass(25_000);
  assert.equal(fake.asked("ping").length, 3);
});

test("given up when it does not open again", async () => {
  const { world, log, fake } = open();
  fake.opens();
  fake.pongs();
  fake.readyState = 0;
  await world.pass(35_000);
  assert.equal(log.at(-1), 1006);
});

test("what is malformed is ignored", () => {
  const { log, fake } = open();
  fake.opens();
  for (const text of ["", "{", "null", '{"op":"toString","epoch":"a","seq":1}']) fake.says(text);
  assert.deepEqual(log, ["opened"]);
});

test("closing it ourselves is silent", () => {
  const { world, log, socket, fake } = open();
  fake.opens();
  socket.close();
  socket.send("late");
  socket.ping();
  assert.deepEqual(log, ["opened"]);
  assert.deepEqual([fake.readyState, world.timers], [3, 0]);
});
