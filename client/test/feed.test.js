import assert from "node:assert/strict";
import { test } from "node:test";
import { feed, open, window } from "./page.js";
import { AT, event, settle } from "./world.js";

const events = (seqs, more) => ({
  op: "events",
  topic: "feed",
  events: seqs.map((seq) => event(seq)),
  ...more,
});
const shown = () => [...document.querySelectorAll("[role=feed] > *")].map((item) => Number(item.dataset.seq));

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
  assert.equal(find("[role=feed]").hasAttribute("aria-busy"), false);
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

test("what a new epoch brings is all there is", async () => {
  const { says } = await open(feed([700]));
  says(events([1], { epoch: "new" }));
  assert.deepEqual(shown(), [1]);
  says(events([2], { epoch: "new" }));
  assert.deepEqual(shown(), [2, 1]);
});

test("one who joins a group changes its item, which moves to the top", async () => {
  const { says, find } = await open(feed([7, 5]));
  const joined = (seq, text) => ({ op: "events", topic: "feed", events: [event(seq, { key: "g", text })] });
  says(joined(8, "Ada completed Fractions"));
  says(events([9]));
  says(joined(10, "Bob and 1 other completed Fractions"));
  assert.deepEqual(shown(), [10, 9, 7]);
  assert.equal(find('[data-live="text"]').textContent, "Bob and 1 other completed Fractions");
  says(joined(10, "told again by an answer to another page"));
  assert.equal(find('[data-live="text"]').textContent, "Bob and 1 other completed Fractions");
});

test("what is told may lead somewhere", async () => {
  const { says, find } = await open(feed([1]));
  says({ op: "events", topic: "feed", events: [event(2, { url: "/quizzes/3/" })] });
  assert.equal(find('[data-live="text"]').getAttribute("href"), "/quizzes/3/");
  says(events([3]));
  assert.equal(find('[data-live="text"]').hasAttribute("href"), false);
});

test("whoever has paused keeps what they read, until they go on", async () => {
  const { says, find, heard } = await open(feed([7, 5]));
  find('[data-live="pause"]').click();
  says(events([8]));
  says(events([9]));
  assert.deepEqual([shown(), find('[data-live="new"]').textContent], [[7, 5], "2 new"]);
  assert.equal(heard.length, 2);
  find('[data-live="pause"]').click();
  assert.deepEqual([shown(), find('[data-live="new"]').hidden], [[9, 8, 7], true]);
});

test("whoever has scrolled or is in the list keeps their line, and asks for what is new", async () => {
  const { says, find } = await open(feed([7, 5]));
  find("article").focus();
  says(events([8]));
  assert.deepEqual(shown(), [7, 5]);
  find("article").blur();
  find("[role=feed]").scrollTop = 40;
  says(events([3, 4], { op: "reset" }));
  assert.deepEqual([shown(), find('[data-live="new"]').textContent], [[7, 5], "2 new"]);
  find('[data-live="new"]').click();
  assert.deepEqual([shown(), find("[role=feed]").scrollTop], [[4, 3], 0]);
});

test("of a storm that waits the newest are kept", async () => {
  const { says, find } = await open(feed([1], 3));
  find('[data-live="pause"]').click();
  for (let seq = 2; seq <= 400; seq += 1) says(events([seq]));
  assert.equal(find('[data-live="new"]').textContent, "200 new");
  find('[data-live="new"]').click();
  assert.deepEqual(shown(), [400, 399, 398]);
});

test("news are said in words now and then", async () => {
  const { world, says, find } = await open(feed([1]));
  says({ op: "pong", at: AT });
  says(events([2]));
  says(events([3, 4]));
  assert.equal(find('[data-live="said"]').textContent, "");
  await world.pass(10_000);
  assert.equal(find('[data-live="said"]').textContent, "3 new");
});

test("items know their place, and Page Down goes through them", async () => {
  const { says, find } = await open(feed([7, 5]));
  says(events([8]));
  const places = [...document.querySelectorAll("article")].map((item) => item.getAttribute("aria-posinset"));
  assert.deepEqual(places, ["1", "2", "3"]);
  const press = (key) =>
    document.activeElement.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));
  find("article").focus();
  press("PageDown");
  assert.equal(document.activeElement.dataset.seq, "7");
  press("PageUp");
  press("PageUp");
  assert.equal(document.activeElement.dataset.seq, "8");
});

test("older ones come below, from where the list ends, whatever came meanwhile", async () => {
  const { world, says, find } = await open(feed([7, 5], 2));
  says(events([8]));
  assert.deepEqual(shown(), [8, 7]);
  world.answer = async () => Response.json({ results: [event(5), event(3)], next: "more" });
  find('[data-live="older"]').click();
  await settle();
  assert.deepEqual(world.fetched.at(-1).url.searchParams.get("cursor"), "ab12-7-8");
  assert.deepEqual(shown(), [8, 7, 5, 3]);
  assert.equal(find('[data-live="older"]').search, "?older-1=ab12-3-8");
  says(events([9]));
  assert.deepEqual(shown(), [9, 8, 7, 5]);
  world.answer = async () => Response.json({ results: [event(3)], next: null });
  find('[data-live="older"]').click();
  await settle();
  assert.deepEqual([shown(), find('[data-live="older"]').hidden], [[9, 8, 7, 5, 3], true]);
});

test("where older ones cannot be had the link is a link", async () => {
  const { world, find } = await open(feed([7], 2));
  world.answer = async () => new Response("", { status: 500 });
  find('[data-live="older"]').click();
  await settle();
  assert.equal(world.errors.length, 1);
  assert.equal(find('[data-live="older"]').dataset.more, "");
  assert.equal(find("[role=feed]").hasAttribute("aria-busy"), false);
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
  const { world, says } = await open('<live-feed topic="feed~s"></live-feed>');
  says(events([1]));
  says(events([1], { op: "reset" }));
  assert.deepEqual(world.errors, []);
  assert.equal("seq" in world.socket.asked("subscribe")[0], false);
});
