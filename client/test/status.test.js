import assert from "node:assert/strict";
import { test } from "node:test";
import { card, open } from "./page.js";

test("says the state in the page's words", async () => {
  const { world, says, find } = await open(`<live-status></live-status>${card("counter:a", 1, "1")}`);
  const status = find("live-status");
  assert.deepEqual(
    [status.dataset.state, status.textContent, status.getAttribute("role")],
    ["connecting", "", "status"],
  );
  says({ op: "pong", at: "2026-11-21T07:40:12Z" });
  assert.deepEqual([status.dataset.state, status.textContent], ["live", "Live"]);
  world.socket.dies();
  assert.deepEqual([status.dataset.state, status.textContent], ["reconnecting", "Reconnecting…"]);
  await world.pass(15_000);
  assert.deepEqual([status.dataset.state, status.textContent], ["stale", "Not up to date"]);
});

test("a status that is gone hears nothing", async () => {
  const { says, find } = await open(`<live-status></live-status>${card("counter:a", 1, "1")}`);
  const status = find("live-status");
  status.remove();
  says({ op: "pong", at: "2026-11-21T07:40:12Z" });
  assert.equal(status.dataset.state, "connecting");
});

test("what the server said stands until there is something to say", async () => {
  const as = "<live-status>As of <time>8:00</time></live-status>";
  const { says, find } = await open(`${as}${card("counter:a", 1, "1")}`);
  assert.equal(find("live-status time").textContent, "8:00");
  says({ op: "pong", at: "2026-11-21T07:40:12Z" });
  assert.equal(find("live-status").innerHTML, "Live");
});
