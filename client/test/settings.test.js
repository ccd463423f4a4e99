import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "../src/settings.js";

function page(dataset, baseURI = "https://host.test/a/page/") {
  const getAttribute = (name) => (name === "data-text-live" ? "Jetzt" : null);
  const meta = dataset && { dataset, getAttribute };
  return { baseURI, documentElement: { lang: "fr" }, querySelector: () => meta };
}

test("addresses are the page's own", () => {
  const settings = readSettings(
    page({
      socket: "/ws/live/",
      snapshot: "/live/snapshot/",
      visitor: "/live/visitor/",
      viewer: "k7",
      language: "de",
    }),
  );
  assert.deepEqual([settings.visitor, settings.viewer], ["https://host.test/live/visitor/", "k7"]);
  assert.equal(settings.socket, "wss://host.test/ws/live/?v=1&lang=de");
  assert.equal(settings.snapshot, "https://host.test/live/snapshot/");
  assert.equal(settings.text("live"), "Jetzt");
});

test("without encryption where the page has none", () => {
  assert.match(
    readSettings(page({ socket: "/ws/" }, "http://host.test:8000/")).socket,
    /^ws:\/\/host.test:8000\/ws\//,
  );
});

test("what is missing is empty, a text that is missing leaves the page's, the language is the page's", () => {
  const { socket, snapshot, visitor, viewer, language, text } = readSettings(page({}));
  assert.deepEqual(
    [socket, snapshot, visitor, viewer, language, text("stale")],
    ["", "", "", "", "fr", null],
  );
});

test("a page that does not speak of us", () => assert.equal(readSettings(page(null)), null));
