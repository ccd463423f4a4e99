import assert from "node:assert/strict";
import { test } from "node:test";
import { visitor } from "../src/visitor.js";
import { World } from "./world.js";

test("asked once, by POST", async () => {
  const world = new World();
  world.answer = () => Response.json({ visitor: "token" });
  const ask = visitor(world.env, "http://host.test/live/visitor/");
  assert.deepEqual([await ask(), await ask()], ["token", "token"]);
  assert.equal(world.fetched.length, 1);
  assert.equal(world.fetched[0].options.method, "POST");
});

test("without an address nobody is asked; a failure is silent", async () => {
  const world = new World();
  assert.equal(await visitor(world.env, "")(), undefined);
  assert.equal(world.fetched.length, 0);
  assert.equal(await visitor(world.env, "http://host.test/")(), undefined);
  world.answer = () => new Response("<!doctype html>");
  assert.equal(await visitor(world.env, "http://host.test/")(), undefined);
});
