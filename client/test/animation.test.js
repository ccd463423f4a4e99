import assert from "node:assert/strict";
import { test } from "node:test";
import { Animation } from "../src/animation.js";
import { World } from "./world.js";

function glide(animation, owner, from, to) {
  const drawn = [];
  animation.glide(
    owner,
    from,
    to,
    (shown) => drawn.push(shown),
    () => drawn.push("end"),
  );
  return drawn;
}

test("moves from one value to the other and ends once", () => {
  const world = new World();
  const drawn = glide(new Animation(world.env), {}, 0, 100);
  for (const now of [1000, 1200, 1399, 1400, 1500]) world.frame(now);
  assert.equal(drawn[0], 0);
  assert.ok(drawn[1] > 50 && drawn[1] < 100);
  assert.deepEqual(drawn.slice(3), ["end"]);
  assert.equal(world.frames.length, 0);
});

test("one frame callback for many; a new glide replaces the old one", () => {
  const world = new World();
  const animation = new Animation(world.env);
  const owner = {};
  const first = glide(animation, owner, 0, 10);
  const second = glide(animation, owner, 5, 20);
  glide(animation, {}, 0, 10);
  world.frame(0);
  world.frame(500);
  assert.deepEqual([first, second.at(-1)], [[], "end"]);
});

test("readers who want calm, hidden tabs and crowds get the end at once", () => {
  const world = new World();
  const animation = new Animation(world.env);
  world.calm = true;
  assert.deepEqual(glide(animation, {}, 0, 9), ["end"]);
  world.calm = false;
  world.isHidden = true;
  assert.deepEqual(glide(animation, {}, 0, 9), ["end"]);
  world.isHidden = false;
  const all = Array.from({ length: 100 }, () => glide(animation, {}, 0, 9));
  assert.ok(all.some((drawn) => drawn[0] === "end") && all.some((drawn) => !drawn.length));
});

test("an error in one does not stop the others", () => {
  const world = new World();
  const animation = new Animation(world.env);
  const broken = () => {
    throw new Error("broken");
  };
  animation.glide({}, 0, 9, broken, broken);
  const drawn = glide(animation, {}, 0, 9);
  world.frame(0);
  world.frame(500);
  assert.deepEqual([drawn.at(-1), world.errors.length], ["end", 1]);
});
