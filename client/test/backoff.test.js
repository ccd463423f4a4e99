import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, CAP, jitter, PATIENT_CAP } from "../src/backoff.js";

const most = () => 1;

test("waits grow from half a second to the cap", () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 60].map((n) => backoff(n, most)),
    [500, 1000, 2000, 16_000, CAP, CAP],
  );
  assert.equal(backoff(60, most, PATIENT_CAP), PATIENT_CAP);
});

test("full jitter: anything from nothing up", () => {
  assert.equal(
    backoff(5, () => 0),
    0,
  );
  assert.equal(
    backoff(1, () => 0.25),
    250,
  );
});

test("a thousand clients come back spread over the whole time", () => {
  const waits = Array.from({ length: 1000 }, (_, i) => backoff(4, () => i / 1000));
  const inFirstTenth = waits.filter((wait) => wait < 800).length;
  assert.equal(inFirstTenth, 100);
});

test("an interval is blurred by a fifth", () => {
  assert.deepEqual(
    [0, 0.5, 1].map((chance) => Math.round(jitter(5000, () => chance))),
    [4000, 5000, 6000],
  );
});
