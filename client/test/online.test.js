import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./page.js";
import { AT, settle } from "./world.js";

const TOPIC = "online:site";
const here = (people, guests, connections) => ({
  op: "values",
  values: { [TOPIC]: { people, guests, connections } },
  at: AT,
});
const element = (more = "") =>
  `<live-online topic="${TOPIC}~s" ${more}><b data-live="value">?</b> <i data-live="people">?</i>
   <i data-live="guests">?</i> <i data-live="connections">?</i></live-online>`;
const rooms = (world) => world.socket.asked("presence").filter(({ room }) => room);

test("shows the sum and its parts, and tells of the change", async () => {
  const { says, heard, find } = await open(element());
  says(here(2, 1, 1204));
  const texts = ["value", "people", "guests", "connections"].map(
    (name) => find(`[data-live="${name}"]`).textContent,
  );
  assert.deepEqual(texts, ["3", "2", "1", "1,204"]);
  assert.deepEqual(heard, [{ topic: TOPIC, value: 3, previous: null }]);
});

test("the sum glides", async () => {
  const { world, says, find } = await open(element('value="100"'));
  says(here(150, 150, 300));
  world.frame(0);
  world.frame(100);
  const between = Number(find("b").textContent);
  assert.ok(between > 100 && between < 300);
  world.frame(400);
  assert.equal(find("b").textContent, "300");
});

test("without parts it is its own text, and breaks at nothing", async () => {
  const { world, says, find } = await open(`<live-online topic="${TOPIC}">?</live-online>`);
  says(here(2, 1, 4));
  says({ op: "values", values: { [TOPIC]: 7 }, at: AT });
  assert.deepEqual([find("live-online").textContent, world.errors], ["3", []]);
});

test("is in its room as long as it is in the page, however many there are", async () => {
  const { world, find } = await open(element('room="hall~s"') + element('room="hall~s"'));
  assert.deepEqual(rooms(world), [{ op: "presence", room: "hall~s" }]);
  find("live-online").remove();
  await settle();
  assert.equal(rooms(world).length, 1);
  const last = find("live-online");
  last.setAttribute("room", "yard~s");
  await settle();
  last.remove();
  await settle();
  assert.deepEqual(
    rooms(world).map(({ room, here }) => [room, here]),
    [
      ["hall~s", undefined],
      ["yard~s", undefined],
      ["hall~s", false],
    ],
  );
});

test("enters again on a new socket", async () => {
  const { world } = await open(element('room="hall~s"'));
  world.socket.pongs();
  world.socket.dies();
  await world.pass(500);
  world.socket.opens();
  assert.equal(rooms(world).length, 1);
});
