import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../src/connection.js";
import { SETTINGS, snapshot, World } from "./world.js";

function setUp(settings = {}) {
  const world = new World();
  const log = [];
  const connection = new Connection(
    world.env,
    { ...SETTINGS, ...settings },
    {
      opened: () => log.push("opened"),
      received: (frame) => log.push(frame.op),
      requests: () => [{ topics: ["feed"], position: null }],
      snapshot: () => log.push("snapshot"),
      polled: () => {},
      changed: (state) => log.push(`now ${state}`),
    },
  );
  connection.start();
  return { world, log, connection };
}

function live(settings) {
  const parts = setUp(settings);
  parts.world.socket.opens();
  parts.world.socket.pongs();
  return parts;
}

test("live with the first frame, not with the open socket", () => {
  const { world, connection } = setUp();
  world.socket.opens();
  assert.equal(connection.state, "connecting");
  world.socket.pongs();
  assert.equal(connection.state, "live");
});

test("a live socket that is lost is opened again within half a second", async () => {
  const { world, connection } = live();
  await world.pass(20_000);
  world.socket.pongs();
  world.socket.dies(1012);
  assert.equal(connection.state, "reconnecting");
  await world.pass(500);
  assert.equal(world.sockets.length, 2);
  world.socket.opens();
  world.socket.pongs();
  assert.equal(connection.state, "live");
});

test("a server that drops us at once is not stormed", async () => {
  const { world } = live();
  world.chance = 1;
  for (let i = 0; i < 4; i += 1) {
    world.socket.dies(4408);
    await world.pass(500 * 2 ** i - 1);
    assert.equal(world.sockets.length, i + 1);
    await world.pass(1);
    world.socket.opens();
    world.socket.pongs();
  }
});

test("polls after a first attempt that never opened, and returns to the socket", async () => {
  const { world, connection, log } = setUp();
  world.answer = () => snapshot();
  world.socket.dies();
  await world.pass(1_000);
  assert.equal(connection.state, "polling");
  await world.pass(300_000);
  const attempts = world.sockets.length;
  assert.ok(attempts > 5 && attempts < 40, `${attempts} attempts in five minutes`);
  world.sockets.at(-1).opens();
  world.sockets.at(-1).pongs();
  assert.equal(connection.state, "live");
  const polls = world.fetched.length;
  await world.pass(9_000);
  assert.equal(world.fetched.length, polls);
  assert.ok(log.includes("snapshot"));
});

test("stale after fifteen seconds without any success, never before", async () => {
  const { world, connection } = live();
  world.socket.dies();
  await world.pass(14_900);
  assert.equal(connection.state, "reconnecting");
  await world.pass(100);
  assert.equal(connection.state, "stale");
  world.answer = () => snapshot();
  await world.pass(30_000);
  assert.equal(connection.state, "polling");
});

for (const code of [4400, 4403, 4426]) {
  test(`${code} is final: polls, and opens no socket again`, async () => {
    const { world, connection } = live();
    world.answer = () => snapshot();
    world.socket.dies(code);
    await world.pass(120_000);
    connection.wake();
    assert.deepEqual([world.sockets.length, connection.state], [1, "polling"]);
  });
}

test("a host without a socket is polled", async () => {
  const { world, connection } = setUp({ socket: "" });
  world.answer = () => snapshot();
  await world.pass(1_000);
  assert.deepEqual([world.sockets.length, connection.state], [0, "polling"]);
});

test("a socket that may not be opened is a failed attempt", async () => {
  const world = new World();
  world.env.openSocket = () => {
    throw new Error("forbidden by policy");
  };
  world.answer = () => snapshot();
  const nothing = () => {};
  const handler = { requests: () => [], snapshot: nothing, polled: nothing, changed: nothing };
  const connection = new Connection(world.env, SETTINGS, { ...handler, opened: nothing, received: nothing });
  connection.start();
  await world.pass(1_000);
  assert.equal(connection.state, "polling");
});

test("waking: a live socket is asked, a lost one opened at once", async () => {
  const { world, connection } = live();
  connection.wake();
  assert.equal(world.socket.asked("ping").length, 2);
  world.socket.dies();
  connection.wake();
  assert.equal(world.sockets.length, 2);
  connection.wake();
  assert.equal(world.sockets.length, 2);
});

test("a start that comes to nothing is told after all", async () => {
  const { world, connection } = live();
  connection.stop();
  connection.start();
  world.socket.dies();
  assert.equal(connection.state, "reconnecting");
});

test("stopping leaves nothing behind, starting again works; the state stays what it was", async () => {
  const { world, connection } = live();
  connection.stop();
  assert.deepEqual([world.socket.readyState, world.timers], [3, 0]);
  connection.start();
  assert.deepEqual([connection.state, connection.works], ["live", false]);
  world.socket.opens();
  world.socket.pongs();
  assert.equal(connection.state, "live");
});
