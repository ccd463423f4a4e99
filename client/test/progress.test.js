import assert from "node:assert/strict";
import { test } from "node:test";
import { notificationsOf } from "../src/progress/notifications.js";
import { levelOf, progressOf } from "../src/progress/progress.js";
import { open } from "./page.js";
import { AT, settle } from "./world.js";

const CARD = `<live-progress topic="progress"><section data-name="sessions">
  <data data-live="total">0</data>
  <div id="goal" data-live-level="goals.day.percent" data-levels="near:70 done:100">
    <progress max="100" data-live="goals.day.percent"></progress>
    <data data-live="goals.day.percent" data-floor>0</data>
    <span data-when="near" hidden>nearly</span><span data-when="done" hidden>done</span></div>
  <circle data-live-ring="average"></circle></section></live-progress>`;
const BELL = `<live-notifications achievements="/live/achievements/" data-csrf="t"
  data-text-many="{number} new"><b data-live="unread">0</b><div data-live="toasts"></div>
  <dialog data-live="dialog"><p data-live="celebrated"></p></dialog></live-notifications>`;

const own = (total, percent, more = {}) => ({
  op: "values",
  at: AT,
  values: {
    progress: {
      progress: { sessions: { total, average: 80, goals: { day: { percent } } } },
      newest: null,
      unseen: 0,
      unread: 0,
      ...more,
    },
  },
});

/** @param {string} body */
async function page(body) {
  await open("");
  const Base = Object.getPrototypeOf(customElements.get("live-counter"));
  if (!customElements.get("live-progress")) {
    customElements.define("live-progress", progressOf(Base));
    customElements.define("live-notifications", notificationsOf(Base));
  }
  return open(body);
}

test("levels are the highest that is reached", () => {
  assert.equal(levelOf(69.9, "near:70 done:100"), "");
  assert.equal(levelOf(70, "near:70 done:100"), "near");
  assert.equal(levelOf(140, "done:100 near:70"), "done");
  assert.equal(levelOf(5, ""), "");
});

test("numbers, bars, rings and levels follow", async () => {
  const { says, find } = await page(CARD);
  says(own(1234, 66.7));
  assert.equal(find("[data-live=total]").textContent, "1,234");
  assert.equal(find("data[data-floor]").textContent, "66");
  assert.equal(find("#goal").dataset.level, undefined);
  says(own(1235, 133.3));
  assert.equal(find("#goal").dataset.level, "done");
  assert.equal(find("[data-when=done]").hidden, false);
  assert.equal(find("[data-when=near]").hidden, true);
  assert.equal(find("[data-live-ring]").getAttribute("stroke-dasharray"), "80 100");
});

test("numbers glide to their next value", async () => {
  const { says, find, world } = await page(CARD);
  says(own(1000, 50));
  says(own(1100, 60));
  const total = find("[data-live=total]");
  assert.equal(total.textContent, "1,000");
  assert.equal(total.getAttribute("value"), "1100");
  world.frame(0);
  world.frame(200);
  const shown = Number(total.textContent.replace(",", ""));
  assert.ok(shown > 1000 && shown < 1100, String(shown));
  world.frame(400);
  assert.equal(total.textContent, "1,100");
});

/** @param {any} world @param {any[]} list @param {number} mine */
function serves(world, list, mine) {
  const asked = [];
  world.env.fetch = async (url, { method, headers }) => {
    asked.push([method, url, headers["X-CSRFToken"]]);
    const body = method === "GET" ? { results: list } : { new: mine };
    return { ok: true, json: async () => body };
  };
  return asked;
}

const reached = (id, great = false) => ({ id, text: `Reached ${id}`, icon: "star", great });

test("the page that is first to say so shows it", async () => {
  const { world, says, find } = await page(BELL);
  const asked = serves(world, [reached(2), reached(1)], 1);
  says(own(1, 1, { newest: 2, unseen: 2, unread: 2 }));
  await settle();
  await settle();
  assert.deepEqual(
    asked.map(([method, url]) => `${method} ${url}`),
    [
      "GET /live/achievements/?unseen=1",
      "POST /live/achievements/1/seen/",
      "POST /live/achievements/2/seen/",
    ],
  );
  assert.equal(asked[1][2], "t");
  assert.equal(find("[data-live=toasts]").textContent, "Reached 1Reached 2");
  assert.equal(find("[data-live=unread]").textContent, "2");
});

test("what another page has shown is not shown again", async () => {
  const { world, says, find } = await page(BELL);
  serves(world, [reached(1)], 0);
  says(own(1, 1, { newest: 1, unseen: 1, unread: 1 }));
  await settle();
  await settle();
  assert.equal(find("[data-live=toasts]").textContent, "");
});

test("many at once are one line", async () => {
  const { world, says, find } = await page(BELL);
  const asked = serves(
    world,
    [5, 4, 3, 2, 1].map((id) => reached(id)),
    5,
  );
  says(own(1, 1, { newest: 5, unseen: 5, unread: 5 }));
  await settle();
  await settle();
  assert.equal(asked.length, 2);
  assert.equal(find("[data-live=toasts]").textContent, "5 new");
});

test("a server that fails is told to the developer and nobody else", async () => {
  const { world, says, find } = await page(BELL);
  world.env.fetch = async () => ({ ok: false, status: 500 });
  says(own(1, 1, { newest: 1, unseen: 1, unread: 1 }));
  await settle();
  await settle();
  assert.equal(world.errors.length, 1);
  assert.equal(find("[data-live=toasts]").textContent, "");
});
