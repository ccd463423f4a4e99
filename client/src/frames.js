/**
 * The words spoken on the wire: the twin of the server's frames.py. Pure text in, plain objects out.
 *
 * @typedef {number | string | null} Value  a string is a number too large or too exact for a float
 * @typedef {{epoch: string, seq: number}} Position  what has been seen
 * @typedef {{seq: number, kind: string, text: string, icon: string, at: string,
 *            actor?: string | null, target?: string | null}} LiveEvent
 * @typedef {Position & {op: "values", values: Record<string, Value>, at: string}} ValuesFrame
 * @typedef {Position & {op: "events" | "reset", topic: string, events: LiveEvent[]}} EventsFrame
 * @typedef {Position & {op: "error", code: string, topic?: string}} ErrorFrame
 * @typedef {Position & {op: "pong", at: string}} PongFrame
 * @typedef {Position & {op: "snapshot", values: Record<string, Value>, at: string, reset: string[],
 *            unavailable: string[], events: Record<string, LiveEvent[]>}} Snapshot
 * @typedef {ValuesFrame | EventsFrame | ErrorFrame | PongFrame} ServerFrame
 */

export const VERSION = 1;

/** Close codes after which the same socket would be refused again: poll from then on. */
const FINAL = new Set([4400, 4403, 4426]);

/** A number as text, as a decimal of the server writes itself. */
const DECIMAL = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** @type {Record<string, (frame: any) => boolean>} what each op must carry beside epoch and seq */
const SHAPES = {
  values: (frame) => isTime(frame.at) && isRecord(frame.values),
  events: (frame) => isText(frame.topic) && isEvents(frame.events),
  reset: (frame) => isText(frame.topic) && isEvents(frame.events),
  error: (frame) => isText(frame.code),
  pong: (frame) => isTime(frame.at),
};

/**
 * The plain topic of a token; a plain topic is its own.
 * @param {string} token
 */
export function topicOf(token) {
  const cut = token.lastIndexOf("~");
  return cut < 0 ? token : token.slice(0, cut);
}

/** @param {number} code */
export function isFinal(code) {
  return FINAL.has(code);
}

/**
 * Whether a counter can show this. One that it cannot must not spoil the others in its frame.
 * @param {unknown} value
 * @returns {value is Value}
 */
export function isValue(value) {
  return value === null || typeof value === "number" || (typeof value === "string" && DECIMAL.test(value));
}

/**
 * A frame from the server, or null for everything that is not one.
 * @param {unknown} text
 * @returns {ServerFrame | null}
 */
export function parse(text) {
  const frame = json(text);
  if (!isPosition(frame) || !Object.hasOwn(SHAPES, frame.op)) return null;
  return SHAPES[frame.op](frame) ? frame : null;
}

/**
 * The answer of the polling address, or null. Lists that are left out are empty.
 * @param {unknown} text
 * @returns {Snapshot | null}
 */
export function parseSnapshot(text) {
  const frame = json(text);
  if (!isPosition(frame) || frame.op !== "snapshot") return null;
  const snapshot = { values: {}, events: {}, reset: [], unavailable: [], ...frame };
  const { values, events, reset, at } = snapshot;
  if (!isTime(at) || !isRecord(values) || !isRecord(events) || !Array.isArray(reset)) return null;
  return Object.values(events).every(isEvents) ? snapshot : null;
}

/**
 * @param {string[]} topics  tokens or plain topics
 * @param {Position | null} [position]
 */
export function subscribe(topics, position) {
  const seen = position && { epoch: position.epoch, seq: position.seq };
  return JSON.stringify({ op: "subscribe", topics, ...seen });
}

/** @param {string[]} topics */
export function unsubscribe(topics) {
  return JSON.stringify({ op: "unsubscribe", topics });
}

export function ping() {
  return JSON.stringify({ op: "ping" });
}

/**
 * @param {unknown} text
 * @returns {any}
 */
function json(text) {
  try {
    return typeof text === "string" ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** @param {any} frame */
function isPosition(frame) {
  return isRecord(frame) && isText(frame.epoch) && isSequence(frame.seq);
}

/** @param {any} events */
function isEvents(events) {
  return Array.isArray(events) && events.every(isEvent);
}

/** @param {any} event */
function isEvent(event) {
  return (
    isRecord(event) &&
    isSequence(event.seq) &&
    isText(event.kind) &&
    isText(event.text) &&
    isText(event.icon) &&
    isTime(event.at)
  );
}

/** @param {unknown} value */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string";
}

/** @param {any} value */
function isTime(value) {
  return isText(value) && !Number.isNaN(Date.parse(value));
}

/** @param {any} value */
function isSequence(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
