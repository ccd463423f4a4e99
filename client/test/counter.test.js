import assert from "node:assert/strict";
import { test } from "node:test";
import { card, open } from "./page.js";
import { AT } from "./world.js";

const values = (found) => ({ op: "values", values: found, at: AT });

test("the server's text stays until a frame says something else", async () => {
  const { says, heard, find } = await open(card("counter:a", 1280, "1280"));
  says(values({ "counter:a": 1280 }));
  assert.equal(find("data").textContent, "1280");
  assert.equal(heard.length, 0);
});

test("glides to exactly the server's value, reflects it and tells of it", async () => {
  const { world, says, heard, find } = await open(card("counter:a", 100, "100"));
  says(values({ "counter:a": 2000 }));
  assert.deepEqual(heard, [{ topic: "counter:a", value: 2000, previous: 100 }]);
  assert.equal(find("live-counter").getAttribute("value"), "2000");
  world.frame(0);
  world.frame(200);
  const between = Number(find("data").textContent.replace(",", ""));
  assert.ok(between > 100 && between < 2000);
  world.frame(400);
  assert.equal(find("data").textContent, "2,000");
  assert.equal(find("data").getAttribute("value"), "2000");
});

test("one step is shown at once, and so is nothing", async () => {
  const { says, find } = await open(card("counter:a", 7, "7"));
  says(values({ "counter:a": 8 }));
  assert.equal(find("data").textContent, "8");
  says(values({ "counter:a": null }));
  assert.deepEqual([find("data").textContent, find("data").getAttribute("value")], ["–", ""]);
});

test("money and huge numbers keep every digit", async () => {
  const { world, says, find } = await open(card("counter:m", "12.50", "12.50", 2));
  says(values({ "counter:m": "13.70" }));
  world.frame(0);
  world.frame(400);
  assert.equal(find("data").textContent, "13.70");
  says(values({ "counter:m": "90071992547409931.10" }));
  assert.equal(find("data").textContent, "90,071,992,547,409,931.10");
});

test("fresh for a moment", async () => {
  const { world, says, find } = await open(card("counter:a", 1, "1"));
  says(values({ "counter:a": 2 }));
  assert.ok(find("live-counter").hasAttribute("data-fresh"));
  await world.pass(1_200);
  assert.ok(!find("live-counter").hasAttribute("data-fresh"));
});

test("the rest of the card is left alone; a bare counter is its own text", async () => {
  const { says, find } = await open(
    `${card("counter:a", 1, "1")}<live-counter id="b" topic="counter:a~s" value="1">1</live-counter>`,
  );
  says(values({ "counter:a": 2 }));
  assert.equal(find("i").textContent, "icon");
  assert.equal(find("#b").textContent, "2");
});

test("two counters of one topic share one subscription; a new topic is followed", async () => {
  const { world, find } = await open(card("counter:a", 1, "1") + card("counter:a", 1, "1"));
  assert.deepEqual(world.socket.asked("subscribe")[0].topics, ["counter:a~s"]);
  find("live-counter").setAttribute("topic", "counter:b~s");
  await world.pass(0);
  assert.deepEqual(world.socket.asked("subscribe").at(-1).topics, ["counter:b~s"]);
});

test("a counter that leaves in the middle shows the true value", async () => {
  const { world, says, find } = await open(card("counter:a", 0, "0"));
  const counter = find("live-counter");
  says(values({ "counter:a": 500 }));
  world.frame(0);
  world.frame(100);
  counter.remove();
  assert.equal(counter.querySelector("data").textContent, "500");
});
