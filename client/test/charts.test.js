import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chartOf } from "../src/charts/chart.js";
import { linesOf } from "../src/charts/lines.js";
import { readingOf } from "../src/charts/reading.js";
import { shape } from "../src/charts/shape.js";
import { open, window } from "./page.js";
import { AT } from "./world.js";

const GOLDEN = JSON.parse(readFileSync(new URL("../../tests/shapes.json", import.meta.url), "utf8"));

const drawn = (values, more = {}) => ({
  start: "2026-11-21T05:00:00.000Z",
  step: 3_600,
  values,
  highest: Math.max(...values),
  change: null,
  ...more,
});
const CHART = `<live-chart topic="series~s" data-kind="bar" data-decimals="0" data-language="en" 
  data-times='{"dateStyle": "medium", "timeStyle": "short", "timeZone": "UTC"}'
  data-text-running=" (so far)" data-text-trend="{percent} % against before"
  data-reading='${JSON.stringify(drawn([1, 2, 3]))}'>
  <span data-live="trend" hidden></span><svg><path data-live="shape"></path><path data-live="running"></path>
  <path data-live="cursor"></path></svg><input type="range" max="2" value="2" data-live="range">
  <p data-live="reading"></p><details><summary data-live="highest"></summary>
  <table>${"<tr><th></th><td></td></tr>".repeat(3)}</table></details></live-chart>`;
const LINE = (
  name,
  value,
) => `<li><span data-live="name">${name}</span><data data-live="value">${value}</data>
  <data data-live="share"></data><progress max="100" data-live="bar"></progress><i data-live="you" hidden>you</i></li>`;
const LINES = `<live-leaderboard topic="top~s" own="me"><ol data-live="list">${LINE("a", 3)}${LINE("b", 2)}</ol>
  <template data-live="item">${LINE("", "")}</template><p data-live="aged" hidden>older</p>
  <p data-live="empty" hidden>Nobody</p></live-leaderboard>`;

const values = (topic, value) => ({ op: "values", at: AT, values: { [topic]: value } });
const line = (name, value, own = name) => ({ name, value, share: 12.5, bar: 50, own });

/** @param {string} body */
async function page(body) {
  await open("");
  if (!customElements.get("live-chart")) {
    const Base = readingOf(Object.getPrototypeOf(customElements.get("live-counter")));
    customElements.define("live-chart", chartOf(Base));
    customElements.define("live-leaderboard", linesOf(Base));
  }
  const found = await open(body);
  const all = (selector) => [...document.body.querySelectorAll(selector)];
  return { ...found, all, texts: (selector) => all(selector).map((each) => each.textContent) };
}

const fire = (element, type, more = {}) =>
  element.dispatchEvent(Object.assign(new window.Event(type, { bubbles: true }), more));
const path = ({ find }, name) => find(`[data-live=${name}]`).getAttribute("d");

for (const { name, kind, values: numbers, shape: whole, running } of GOLDEN) {
  test(`as the server draws it: ${name}, ${kind}`, () => {
    const end = numbers.length;
    assert.equal(shape(kind, numbers, 0, end - 1), whole);
    assert.equal(shape(kind, numbers, end - (kind === "bar" ? 1 : 2), end), running);
  });
}

test("a decimal that travels as text is a number all the same", () => {
  assert.equal(shape("line", ["1.50", "3.00"], 0, 2), shape("line", [1.5, 3], 0, 2));
});

test("the picture follows, the running step apart", async () => {
  const chart = await page(CHART);
  chart.says(values("series", drawn([4, 0, 8], { change: 12.4 })));
  assert.equal(path(chart, "shape"), shape("bar", [4, 0, 8], 0, 2));
  assert.equal(path(chart, "running"), shape("bar", [4, 0, 8], 2, 3));
  assert.equal(chart.find("[data-live=trend]").textContent, "+12 % against before");
  assert.equal(chart.find("[data-live=trend]").hidden, false);
  assert.equal(chart.find("[data-live=highest]").textContent, "8");
  assert.equal(chart.find("[data-live=reading]").textContent, "Nov 21, 2026, 7:00 AM: 8 (so far)");
});

test("without a number before there is no trend", async () => {
  const chart = await page(CHART);
  chart.says(values("series", drawn([1], { change: -3 })));
  assert.equal(chart.find("[data-live=trend]").textContent, "-3 % against before");
  chart.says(values("series", drawn([1])));
  assert.equal(chart.find("[data-live=trend]").hidden, true);
});

test("keys move a reading that is told, before anything was heard", async () => {
  const { find, ...chart } = await page(CHART);
  const range = find("[data-live=range]");
  range.value = "1";
  fire(range, "input");
  assert.equal(find("[data-live=reading]").textContent, "Nov 21, 2026, 6:00 AM: 2");
  assert.equal(range.ariaValueText, "Nov 21, 2026, 6:00 AM: 2");
  assert.equal(path({ find, ...chart }, "cursor"), "M1.5 0V100");
});

test("who reads with keys is told what they ask for, and not each change", async () => {
  const { find, says } = await page(CHART);
  const range = find("[data-live=range]");
  range.focus();
  range.matches = () => true;
  fire(range, "input");
  says(values("series", drawn([1, 2, 9])));
  assert.match(find("[data-live=reading]").textContent, /: 9/);
  assert.match(range.ariaValueText, /: 3/);
});

test("the pointer moves it too", async () => {
  const { find } = await page(CHART);
  const range = find("[data-live=range]");
  Object.defineProperty(range, "clientWidth", { value: 300 });
  fire(range, "pointermove", { offsetX: 150 });
  assert.equal(range.value, "1");
  fire(find("[data-live=reading]"), "pointermove", { offsetX: 10 });
  assert.equal(range.value, "1");
});

test("the table follows while it is open", async () => {
  const { find, says, texts } = await page(CHART);
  says(values("series", drawn([7, null, 9])));
  assert.deepEqual(texts("td"), ["", "", ""]);
  find("details").setAttribute("open", "");
  fire(find("summary"), "click");
  await new Promise((done) => setTimeout(done));
  assert.deepEqual(texts("td"), ["7", "–", "9 (so far)"]);
  assert.equal(texts("th")[0], "Nov 21, 2026, 5:00 AM");
});

test("days are days, whatever the clocks do", async () => {
  const { find, says } = await page(
    CHART.replace('"timeStyle": "short", "timeZone": "UTC"', '"timeZone": "Europe/Paris"'),
  );
  // From Saturday on; the clocks went forward on Sunday the 29th.
  says(values("series", drawn([1, 2, 3], { start: "2026-03-27T23:00:00.000Z", step: 86_400 })));
  const range = find("[data-live=range]");
  const days = [0, 1, 2].map((at) => {
    range.value = String(at);
    fire(range, "input");
    return find("[data-live=reading]").textContent;
  });
  assert.deepEqual(days, ["Mar 28, 2026: 1", "Mar 29, 2026: 2", "Mar 30, 2026: 3 (so far)"]);
});

test("a line beside a number is a picture and no more", async () => {
  const { find, says, world } = await page(
    `<live-chart topic="series~s" data-kind="area"><svg><path data-live="shape"></path></svg></live-chart>`,
  );
  says(values("series", drawn([1, 2, 3])));
  assert.equal(find("path").getAttribute("d"), shape("area", [1, 2, 3], 0, 2));
  assert.deepEqual(world.errors, []);
});

test("lines come, go and change their places", async () => {
  const { find, says, texts, all } = await page(LINES);
  says(values("top", { lines: [line("<b>", 1234), line("me", 5), line("c", 1)] }));
  assert.deepEqual(texts("[data-live=list] [data-live=name]"), ["<b>", "me", "c"]);
  assert.deepEqual(texts("[data-live=list] [data-live=value]"), ["1,234", "5", "1"]);
  assert.equal(find("[data-live=list] [data-live=share]").textContent, "13");
  assert.equal(find("[data-live=list] progress").value, 50);
  assert.deepEqual(
    all("[data-live=list] [data-live=you]").map(({ hidden }) => hidden),
    [true, false, true],
  );
  says(values("top", { lines: [line("me", 6)] }));
  assert.deepEqual(texts("[data-live=list] [data-live=name]"), ["me"]);
  assert.equal(find("[data-live=list] [data-live=you]").hidden, false);
  assert.equal(find("[data-live=empty]").hidden, true);
  says(values("top", { lines: [] }));
  assert.equal(find("[data-live=empty]").hidden, false);
});

test("what is as it was is said to have aged only when something has changed", async () => {
  const { find, says } = await page(LINES);
  const same = [
    { name: "a", value: 3, share: null, own: "a", bar: 1 },
    { name: "b", value: 2, share: null, own: "b", bar: 1 },
  ];
  says(values("top", { lines: same }));
  const before = find("[data-live=aged]").hidden;
  says(values("top", { lines: [line("a", 4), line("b", 2)] }));
  assert.deepEqual([typeof before, find("[data-live=aged]").hidden], ["boolean", false]);
});
