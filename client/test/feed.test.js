import assert from "node:assert/strict";
import { test } from "node:test";
import { feed, open } from "./page.js";
import { AT, event } from "./world.js";

const events = (seqs, more) => ({
  op: "events",
  topic: "feed",
  events: seqs.map((seq) => event(seq)),
  ...more,
});
const shown = () => [...document.querySelectorAll("li")].map((item) => Number(item.dataset.seq));

test("subscribes from where the page stands", async () => {
  const { world } = await open(feed([7, 5]));
  assert.deepEqual(world.socket.asked("subscribe")[0], {
    op: "subscribe",
    topics: ["feed~s"],
    epoch: "ab12",
    seq: 7,
  });
});

test("newest first, not more than the limit, nothing twice", async () => {
  const { says, heard } = await open(feed([7, 5]));
  says(events([7, 8, 9]));
  assert.deepEqual(shown(), [9, 8, 7]);
  assert.deepEqual(
    heard.map((detail) => detail.event.seq),
    [8, 9],
  );
  says(events([8, 9]));
  assert.deepEqual(shown(), [9, 8, 7]);
});

test("what another page's answer brings late is put in its place, and told once", async () => {
  const { says, heard } = await open(feed([7], 5));
  says(events([11]));
  says(events([8, 9, 10, 11]));
  says(events([5, 6, 7, 8, 9, 10, 11]));
  assert.deepEqual(shown(), [11, 10, 9, 8, 7]);
  assert.deepEqual(
    heard.map((detail) => detail.event.seq),
    [11, 8, 9, 10],
  );
});

test("what has left the list is not told again", async () => {
  const { says, heard } = await open(feed([7], 3));
  for (let seq = 8; seq <= 120; seq += 1) says(events([seq]));
  says(events(Array.from({ length: 50 }, (_, i) => 71 + i)));
  assert.deepEqual([shown(), heard.length], [[120, 119, 118], 113]);
});

test("texts are texts", async () => {
  const { says, find } = await open(feed([1]));
  const text = "<img src=x onerror=alert(1)>";
  says({ op: "events", topic: "feed", events: [event(2, { text, icon: '"><b>' })] });
  assert.equal(find('[data-live="text"]').textContent, text);
  assert.equal(find("img, b"), null);
  assert.equal(find('[data-live="icon"]').getAttribute("data-icon"), '"><b>');
  assert.equal(find("time").getAttribute("datetime"), AT);
});

test("a reset replaces, even by nothing, and is no news", async () => {
  const { says, heard, find } = await open(feed([7, 5]));
  says(events([3, 4], { op: "reset" }));
  assert.deepEqual(shown(), [4, 3]);
  assert.equal(find("ol").hasAttribute("aria-busy"), false);
  says(events([], { op: "reset" }));
  assert.deepEqual(shown(), []);
  assert.equal(find('[data-live="empty"]').hidden, false);
  says(events([5]));
  assert.equal(find('[data-live="empty"]').hidden, true);
  assert.deepEqual(
    heard.map((detail) => detail.event.seq),
    [5],
  );
});

test("a new epoch counts anew", async () => {
  const { says, find } = await open(feed([700]));
  says(events([1], { epoch: "new" }));
  assert.deepEqual(shown(), [1, Number.NaN]);
  assert.deepEqual(
    [find("live-feed").getAttribute("epoch"), find("live-feed").getAttribute("seq")],
    ["new", "1"],
  );
});

test("two topics in one feed: the slower one loses nothing, what is in both is shown once", async () => {
  const { says } = await open(feed([], 9, "feed:a~s feed:b~s"));
  const a = (seqs) => ({ ...events(seqs), topic: "feed:a" });
  const b = (seqs) => ({ ...events(seqs), topic: "feed:b" });
  says(a([15]));
  says(b([13, 15]));
  assert.deepEqual(shown(), [15, 13]);
  says({ ...a([15, 16]), op: "reset" });
  says({ ...b([13]), op: "reset" });
  assert.deepEqual(shown(), [16, 15, 13]);
});

test("times keep the server's words until its clock is known, then they move", async () => {
  const { world, says, find } = await open(
    feed([1]).replace('data-live="time">', `data-live="time" datetime="${AT}">just now`),
  );
  world.time += 86_400_000;
  assert.equal(find("time").textContent, "just now");
  says({ op: "pong", at: AT });
  assert.equal(find("time").textContent, "now");
  await world.pass(130_000);
  assert.equal(find("time").textContent, "2 minutes ago");
});

test("markup without a template or a list breaks nothing", async () => {
  const { world, says } = await open('<live-feed topics="feed~s"></live-feed>');
  says(events([1]));
  says(events([1], { op: "reset" }));
  assert.deepEqual(world.errors, []);
  assert.equal("seq" in world.socket.asked("subscribe")[0], false);
});
