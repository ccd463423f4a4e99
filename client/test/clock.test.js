import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "../src/clock.js";
import { AT, World } from "./world.js";

test("unknown until the server has told its time", () => {
  assert.equal(new Clock(new World().env).now(), null);
});

test("a reader's clock that is a day wrong", async () => {
  const world = new World();
  world.time += 86_400_000;
  const clock = new Clock(world.env);
  clock.learn(AT);
  await world.pass(5_000);
  assert.equal(clock.now(), Date.parse(AT) + 5_000);
});

test("one timer for all, at once when the time becomes known, none when nobody watches", async () => {
  const world = new World();
  const clock = new Clock(world.env);
  let ticks = 0;
  const ends = [1, 2, 3].map(() => clock.watch(() => ticks++));
  assert.equal(world.timers, 1);
  clock.learn(AT);
  assert.equal(ticks, 3);
  await world.pass(10_000);
  assert.equal(ticks, 6);
  for (const end of ends) end();
  await world.pass(20_000);
  assert.equal([ticks, world.timers].join(), "6,0");
});

test("an error in one does not stop the others", () => {
  const world = new World();
  const clock = new Clock(world.env);
  let ticks = 0;
  clock.watch(() => {
    throw new Error("broken");
  });
  clock.watch(() => ticks++);
  clock.learn(AT);
  assert.equal(ticks, 1);
  assert.equal(world.errors.length, 1);
});
