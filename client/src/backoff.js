/**
 * How long to wait before trying again: full jitter, so that the thousand clients of a restarted
 * server come back spread out and not in waves.
 */

const FIRST = 500;

/** The longest wait while nothing works at all: come back soon once the server does. */
export const CAP = 20_000;

/** The longest wait for a socket while polling works: the reader misses little. */
export const PATIENT_CAP = 60_000;

/**
 * Milliseconds to wait after `failures` earlier failures.
 * @param {number} failures
 * @param {() => number} random  in [0, 1)
 * @param {number} [cap]
 */
export function backoff(failures, random, cap = CAP) {
  return random() * Math.min(cap, FIRST * 2 ** failures);
}

/**
 * A steady interval, blurred by a fifth to either side.
 * @param {number} interval
 * @param {() => number} random
 */
export function jitter(interval, random) {
  return interval * (0.8 + 0.4 * random());
}
