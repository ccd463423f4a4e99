import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/store.js";
import { AT, event, settle } from "./world.js";

function setUp() {
  const sent = [];
  const calls = [];
  const errors = [];
  const note = (name) => () => calls.push(name);
  const line = {
    start: note("start"),
    stop: note("stop"),
    hurry: note("hurry"),
    send: (text) => sent.push(JSON.parse(text)),
    works: true,
  };
  return { store: new Store(line, (error) => errors.push(error)), sent, calls, errors };
}

const values = (found, seq = 1) => ({ op: "values", values: found, at: AT, epoch: "ab12", seq });
const pong = (seq, epoch = "ab12") => ({ op: "pong", at: AT, epoch, seq });
const answer = (seq, epoch = "ab12") => ({ op: "events", topic: "feed", events: [], epoch, seq });

function listener() {
  const heard = [];
  const value = (_, each) => heard.push(each);
  const hear = (_, events) => heard.push(...events.map(({ seq }) => seq));
  return { heard, value, events: hear, reset: hear };
}

test("what is asked in one go is sent in one frame; one topic is asked once", async () => {
  const { store, sent } = setUp();
  const [a, b] = [listener(), listener()];
  store.subscribe("counter:a~s", a);
  store.subscribe("counter:a~s", b);
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 7 });
  await settle();
  const first = { op: "subscribe", topics: ["counter:a~s", "feed~s"], epoch: "ab12", seq: 7 };
  assert.deepEqual(sent, [first]);
  store.received(values({ "counter:a": 5 }));
  assert.deepEqual([a.heard, b.heard], [[5], [5]]);
});

test("the last to leave ends the subscription, and the connection with the last topic", async () => {
  const { store, sent, calls } = setUp();
  const ends = [1, 2].map(() => store.subscribe("counter:a~s", listener()));
  await settle();
  ends[0]();
  await settle();
  assert.equal(sent.length, 1);
  ends[1]();
  await settle();
  assert.deepEqual(sent[1], { op: "unsubscribe", topics: ["counter:a"] });
  assert.equal(calls.at(-1), "stop");
});

test("an element that is moved in the page sends nothing", async () => {
  const { store, sent } = setUp();
  const end = store.subscribe("counter:a~s", listener());
  await settle();
  end();
  store.subscribe("counter:a~s", listener());
  await settle();
  assert.equal(sent.length, 1);
});

test("a newcomer hears the value that the others show", async () => {
  const { store } = setUp();
  store.subscribe("counter:a~s", listener());
  store.received(values({ "counter:a": 5 }));
  const late = listener();
  store.subscribe("counter:a~s", late);
  assert.deepEqual(late.heard, [5]);
});

test("a new socket resumes at the newest of any frame, once the feed was answered", async () => {
  const { store, sent } = setUp();
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 7 });
  await settle();
  store.received(values({}, 9));
  store.opened();
  assert.equal(sent.at(-1).seq, 7);
  store.received(answer(11));
  store.received(values({}, 12));
  store.received(pong(3));
  store.received(pong(0, ""));
  store.opened();
  assert.deepEqual([sent.at(-1).epoch, sent.at(-1).seq], ["ab12", 12]);
});

test("a resume that was cut off starts where it started", async () => {
  const { store, sent } = setUp();
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 7 });
  await settle();
  store.received(answer(7));
  store.opened();
  store.received(values({}, 20));
  store.received(pong(20));
  store.opened();
  assert.equal(sent.at(-1).seq, 7);
});

test("a part of the page that was rendered earlier gets what it lacks", async () => {
  const { store, sent } = setUp();
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 7 });
  await settle();
  store.received(answer(30));
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 20 });
  await settle();
  assert.equal(sent.at(-1).seq, 20);
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 31 });
  await settle();
  assert.equal(sent.length, 2);
});

test("feeds that resume at different places are asked apart; one that knows no place says none", async () => {
  const { store, sent } = setUp();
  store.subscribe("feed:a~s", listener(), { epoch: "ab12", seq: 7 });
  store.subscribe("feed:b~s", listener(), { epoch: "ab12", seq: 9 });
  store.subscribe("feed:c~s", listener(), { epoch: "", seq: 0 });
  await settle();
  assert.deepEqual(
    sent.map(({ topics, seq }) => [topics[0], seq]),
    [
      ["feed:a~s", 7],
      ["feed:b~s", 9],
      ["feed:c~s", undefined],
    ],
  );
});

test("many topics are asked in portions", async () => {
  const { store, sent } = setUp();
  for (let i = 0; i < 100; i += 1) store.subscribe(`counter:n:${i}~s`, listener());
  await settle();
  assert.deepEqual(
    sent.map(({ topics }) => topics.length),
    [30, 30, 30, 10],
  );
  assert.equal(store.requests().length, 4);
});

test("a room is entered once, entered again on a new socket, left with the last", async () => {
  const { store, sent } = setUp();
  const ends = [1, 2].map(() => store.enter("hall~s"));
  store.opened();
  ends[0]();
  await settle();
  const entered = { op: "presence", room: "hall~s" };
  assert.deepEqual(sent, [entered, entered]);
  ends[1]();
  await settle();
  assert.deepEqual(sent[2], { ...entered, here: false });
  store.opened();
  assert.equal(sent.length, 3);
});

test("an element that is moved in the page does not leave its room", async () => {
  const { store, sent } = setUp();
  store.enter("hall~s")();
  store.enter("hall~s");
  await settle();
  assert.equal(sent.length, 1);
});

test("who is online is told apart from numbers", async () => {
  const { store } = setUp();
  const heard = [];
  const subscriber = { value: () => heard.push("a value"), online: (_, online) => heard.push(online) };
  store.subscribe("online:site~s", subscriber);
  const online = { people: 2, guests: 1, connections: 4 };
  store.received(values({ "online:site": online }));
  store.received(values({ "online:site": { people: "two" } }));
  store.subscribe("online:site~s", subscriber);
  assert.deepEqual(heard, [online]);
});

test("an epoch that changes is taken over", async () => {
  const { store, sent } = setUp();
  store.subscribe("feed~s", listener(), { epoch: "ab12", seq: 700 });
  store.received(answer(3, "new"));
  store.opened();
  assert.deepEqual([sent.at(-1).epoch, sent.at(-1).seq], ["new", 3]);
});

test("a snapshot speaks as frames do", async () => {
  const { store } = setUp();
  const log = [];
  store.subscribe("counter:a~s", { value: (_, value) => log.push(value) });
  store.subscribe("feed:a~s", { reset: (topic) => log.push(`reset ${topic}`) });
  store.subscribe("feed:b~s", { events: (topic, [{ seq }]) => log.push(`${topic} ${seq}`) });
  const events = { "feed:a": [], "feed:b": [event(4)], "feed:unknown": [event(5)] };
  store.snapshot({ values: { "counter:a": 2 }, events, reset: ["feed:a"], epoch: "ab12", seq: 4 });
  assert.deepEqual(log, [2, "reset feed:a", "feed:b 4"]);
  store.polled({ epoch: "ab12", seq: 4 });
  assert.equal(store.requests()[0].position.seq, 4);
});

test("an error in one element does not stop the others, nor does a value nobody can show", async () => {
  const { store, errors } = setUp();
  const good = listener();
  store.subscribe("counter:a~s", {
    value: () => {
      throw new Error("broken");
    },
  });
  store.subscribe("counter:a~s", good);
  store.subscribe("counter:b~s", good);
  store.received(values({ "counter:b": { people: 1 }, "counter:a": 5, "counter:else": 1 }));
  assert.deepEqual([good.heard, errors.length], [[5], 1]);
});
