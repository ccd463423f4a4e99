import assert from "node:assert/strict";
import { test } from "node:test";
import { Format } from "../src/format.js";

const format = new Format("en");
const MINUTE = 60_000;

test("numbers with exactly the digits asked for", () => {
  assert.equal(format.value(128, 0), "128");
  assert.equal(format.value(1_000_000_000_000, 0), "1,000,000,000,000");
  assert.equal(format.value(-4.25, 1), "-4.3");
  assert.equal(format.value(87, 1), "87.0");
});

test("no value is a dash", () => assert.equal(format.value(null, 2), "–"));

test("text beyond 2^53 keeps every digit", () => {
  assert.equal(format.value("9007199254740993", 0), "9,007,199,254,740,993");
  assert.equal(format.value("12345678901234567890.10", 2), "12,345,678,901,234,567,890.10");
  assert.equal(format.value("1E+3", 0), "1,000");
});

test("money has its cents", () => {
  assert.equal(format.value("12.50", 2), "12.50");
  assert.equal(format.value("-0.05", 2), "-0.05");
});

test("the page's language", () => {
  assert.equal(new Format("de").value(1234.5, 1), "1.234,5");
  assert.equal(new Format("ar-EG").value(12, 0), "١٢");
  assert.equal(new Format("de").age(0, 2 * MINUTE), "vor 2 Minuten");
});

test("an unknown language does no harm", () => {
  assert.equal(typeof new Format("not a language!").value(1, 0), "string");
});

test("ages", () => {
  const age = (ms) => format.age(0, ms);
  assert.equal(age(9_000), "now");
  assert.equal(age(29_000), "20 seconds ago");
  assert.equal(age(MINUTE), "1 minute ago");
  assert.equal(age(59.9 * MINUTE), "59 minutes ago");
  assert.equal(age(25 * 60 * MINUTE), "yesterday");
  assert.equal(age(45 * 24 * 60 * MINUTE), "last month");
  assert.equal(age(800 * 24 * 60 * MINUTE), "2 years ago");
});

test("what comes from the future is now", () => assert.equal(format.age(5_000, 0), "now"));
