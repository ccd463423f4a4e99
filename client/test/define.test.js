import assert from "node:assert/strict";
import { test } from "node:test";
import { define } from "./page.js";

test("registers each name once", () => {
  const names = new Map();
  const registry = { get: (name) => names.get(name), define: (name, element) => names.set(name, element) };
  registry.define("live-feed", "the host's own");
  define({}, registry);
  define({}, registry);
  assert.deepEqual([...names.keys()].sort(), ["live-counter", "live-feed", "live-online", "live-status"]);
  assert.equal(names.get("live-feed"), "the host's own");
});
