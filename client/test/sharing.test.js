import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedSocket } from "../src/sharing.js";
import { Browser } from "./browser.js";
import { AT, settle, World } from "./world.js";

const URL = "ws://host.test/ws/";
const follow = (topics) => ({ op: "subscribe", topics });
const values = (found) => JSON.stringify({ op: "values", values: found, at: AT, epoch: "e", seq: 1 });

/** A page that asks for something and pings whenever its socket opens, as ours do. */
async function page(browser, frame = follow(["a"]), viewer = "", visitor = async () => undefined) {
  const world = browser.tab ? browser.tab() : browser;
  const socket = new SharedSocket(world.env, URL, viewer, visitor);
  const log = [];
  socket.onopen = () => {
    log.push("open");
    for (const each of [frame, { op: "ping" }]) if (each) socket.send(JSON.stringify(each));
  };
  socket.onmessage = ({ data }) => log.push(JSON.parse(data).op);
  socket.onclose = ({ code }) => log.push(code);
  await settle();
  return { world, socket, log, send: (what) => socket.send(JSON.stringify(what)) };
}

const opens = async (browser) => {
  browser.socket.opens();
  await settle();
};

const presence = (socket) => socket.asked("presence").filter((frame) => !frame.room);

test("pages share one socket: each opens, each hears each frame", async () => {
  const browser = new Browser();
  const pages = [await page(browser), await page(browser)];
  await opens(browser);
  pages.push(await page(browser));
  browser.socket.says(values({ a: 1 }));
  await settle();
  assert.equal(browser.sockets.length, 1);
  for (const { log } of pages) assert.deepEqual(log, ["open", "values"]);
  assert.deepEqual(presence(browser.socket).at(-1), { op: "presence", state: "active", tabs: 3 });
});

test("different viewers share nothing, nor do browsers without locks", async () => {
  const browser = new Browser();
  await page(browser, null, "ada");
  await page(browser, null, "bob");
  assert.equal(browser.sockets.length, 2);
  const [one, other] = [new World(), new World()];
  await page(one);
  await page(other);
  one.socket.opens();
  assert.deepEqual([one.sockets.length, other.sockets.length], [1, 1]);
  assert.equal(presence(one.socket)[0].tabs, 1);
});

test("a page that may not have locks has a socket of its own", async () => {
  const world = new World();
  world.env.locks = { request: () => Promise.reject(new DOMException("", "SecurityError")) };
  const { log } = await page(world);
  world.socket.opens();
  assert.deepEqual([log, world.socket.asked("subscribe").length], [["open"], 1]);
});

test("what one page leaves, the others keep", async () => {
  const browser = new Browser();
  const one = await page(browser, follow(["a~s", "b~s"]));
  const other = await page(browser, follow(["a~s"]));
  await opens(browser);
  one.send({ op: "unsubscribe", topics: ["a", "b"] });
  assert.deepEqual(browser.socket.asked("unsubscribe"), [{ op: "unsubscribe", topics: ["b"] }]);
  other.send({ op: "unsubscribe", topics: ["a"] });
  await settle();
  assert.deepEqual(browser.socket.asked("unsubscribe")[1].topics, ["a"]);
});

test("a room is left with the last page in it", async () => {
  const browser = new Browser();
  const room = { op: "presence", room: "hall~s" };
  const pages = [await page(browser, room), await page(browser, room)];
  await opens(browser);
  for (const each of pages) each.send({ ...room, here: false });
  await settle();
  const told = browser.socket.asked("presence").filter((frame) => frame.here === false);
  assert.deepEqual(told, [{ ...room, here: false }]);
});

for (const way of ["closes", "crashes"]) {
  test(`a page that ${way} leaves what only it followed`, async () => {
    const browser = new Browser();
    await page(browser, follow(["a"]));
    const other = await page(browser, follow(["a", "b"]));
    await opens(browser);
    if (way === "closes") other.socket.close();
    else browser.crash(other.world);
    await settle();
    assert.deepEqual(browser.socket.asked("unsubscribe"), [{ op: "unsubscribe", topics: ["b"] }]);
    assert.equal(presence(browser.socket).at(-1).tabs, 1);
  });

  test(`when the leader ${way} another takes over at once, and all open anew`, async () => {
    const browser = new Browser();
    const [leader, second, third] = [await page(browser), await page(browser), await page(browser)];
    await opens(browser);
    if (way === "closes") leader.socket.close();
    else {
      browser.crash(leader.world);
    }
    await settle();
    const [socket] = second.world.sockets;
    assert.ok(socket, "the second page has opened a socket");
    socket.opens();
    await settle();
    assert.deepEqual([second.log, third.log], [Array(2).fill("open"), Array(2).fill("open")]);
    assert.equal(socket.asked("subscribe").length, 2);
    assert.equal(presence(socket).at(-1).tabs, 2);
  });
}

test("a leader that sleeps is replaced, and wakes up as one of many", async () => {
  const browser = new Browser();
  const leader = await page(browser);
  await opens(browser);
  leader.world.asleep = true;
  const second = await page(browser);
  await browser.pass(1_500);
  second.world.socket.opens();
  await settle();
  assert.deepEqual(second.log, ["open"]);
  assert.deepEqual(leader.log, ["open", 1006]);
  assert.equal(browser.sockets.length, 1);
});

test("what is said while another takes over is lost, and asked again when it has", async () => {
  const browser = new Browser();
  const [leader, second, third] = [await page(browser), await page(browser), await page(browser)];
  await opens(browser);
  browser.crash(leader.world);
  await settle();
  for (const { send } of [second, third]) send(follow(["b"]));
  await settle();
  const [socket] = second.world.sockets;
  assert.deepEqual(socket.sent, []);
  socket.opens();
  await settle();
  assert.equal(socket.asked("subscribe").length, 2);
});

test("a page hears nothing before it has opened, nor after it was closed", async () => {
  const browser = new Browser();
  const leader = await page(browser);
  await opens(browser);
  const world = browser.tab();
  const late = new SharedSocket(world.env, URL, "", async () => undefined);
  const log = [];
  late.onmessage = () => log.push("a frame");
  late.onopen = () => log.push("open");
  for (let i = 0; i < 20 && !log.length; i += 1) {
    browser.socket.says(values({ a: i }));
    await null;
  }
  assert.equal(log[0], "open");
  leader.socket.close();
  const heard = leader.log.length;
  leader.world.sockets[0].says(values({ a: 2 }));
  leader.world.sockets[0].dies();
  assert.equal(leader.log.length, heard);
});

test("a leader that is slow to connect is not replaced", async () => {
  const browser = new Browser();
  await page(browser);
  const second = await page(browser);
  await browser.pass(5_000);
  assert.equal(second.world.sockets.length, 0);
});

test("a socket that is lost is lost to all, by the same code, and leaves nothing behind", async () => {
  const browser = new Browser();
  const pages = [await page(browser), await page(browser)];
  await opens(browser);
  pages[0].world.socket.dies(4403);
  await settle();
  for (const { log, world, socket } of pages) {
    assert.deepEqual(log, ["open", 4403]);
    assert.deepEqual([socket.readyState, world.timers], [3, 0]);
  }
  assert.equal(browser.sockets.length, 0);
});

test("a socket that may not be opened is lost", async () => {
  const browser = new Browser();
  const world = browser.tab();
  world.env.openSocket = () => {
    throw new Error("forbidden by policy");
  };
  const socket = new SharedSocket(world.env, URL, "", async () => undefined);
  const codes = [];
  socket.onclose = ({ code }) => codes.push(code);
  await settle();
  assert.deepEqual(codes, [1006]);
});

test("a beat is answered at once, by one page only", async () => {
  const browser = new Browser();
  await page(browser);
  await page(browser);
  await opens(browser);
  const before = presence(browser.socket).length;
  browser.socket.says({ op: "beat" });
  assert.equal(presence(browser.socket).length, before + 1);
});

for (const mine of ["isHidden", "isTouched"]) {
  test(`away when nobody looks at any of the pages, or touches any: ${mine}`, async () => {
    const browser = new Browser();
    const pages = [await page(browser), await page(browser)];
    await opens(browser);
    const states = () => presence(browser.socket).map(({ state }) => state);
    for (const { world, send } of pages) {
      assert.equal(states().at(-1), "active");
      world[mine] = !world[mine];
      send({ op: "ping" });
      await settle();
    }
    assert.equal(states().at(-1), "away");
    pages[1].world[mine] = !pages[1].world[mine];
    pages[1].send({ op: "ping" });
    await settle();
    assert.equal(states().at(-1), "active");
  });
}

test("who is asked who it is says so; who cannot say says nothing", async () => {
  for (const token of ["token", undefined]) {
    const world = new World();
    await page(world, null, "", async () => token);
    world.socket.opens();
    world.socket.says({ op: "visitor" });
    await settle();
    const told = presence(world.socket).map(({ visitor }) => visitor);
    assert.equal(told.at(-1), token);
  }
});
