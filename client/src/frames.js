/**
 * The words spoken on the wire: the twin of the server's frames.py. Pure text in, plain objects out.
 *
 * @typedef {number | string | null} Value  a string is a number too large or too exact for a float
 * @typedef {{people: number, guests: number, connections: number}} Online  who is in a room
 * @typedef {{epoch: string, seq: number}} Position  what has been seen
 * @typedef {{seq: number, kind: string, text: string, icon: string, at: string,
 *            actor?: string | null, target?: string | null, url?: string | null,
 *            key: string, count?: number, others?: number}} LiveEvent  of one key only the newest is shown
 * @typedef {Position & {op: "values", values: Record<string, Value | Online>, at: string}} ValuesFrame
 * @typedef {Position & {op: "events" | "reset", topic: string, events: LiveEvent[]}} EventsFrame
 * @typedef {Position & {op: "error", code: string, topic?: string}} ErrorFrame
 * @typedef {Position & {op: "pong", at: string}} PongFrame
 * @typedef {Position & {op: "beat" | "visitor"}} AskingFrame  is anybody there; and who
 * @typedef {Position & {op: "snapshot", values: Record<string, Value | Online>, at: string, reset: string[],
 *            unavailable: string[], events: Record<string, LiveEvent[]>}} Snapshot
 * @typedef {ValuesFrame | EventsFrame | ErrorFrame | PongFrame | AskingFrame} ServerFrame
 */

export const VERSION = 1;

/** Who does not say what is shown of a feed is given the whole list. */
export const NOWHERE = { epoch: "", seq: 0 };

/** Close codes after which the same socket would be refused again: poll from then on. */
const FINAL = new Set([4400, 4403, 4426]);

/** A number as text, as a decimal of the server writes itself. */
const DECIMAL = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** @typedef {Record<string, (value: any) => boolean>} Shape  what must be there, and be such */

const POSITION = { epoch: isText, seq: isSequence };
const EVENT = { seq: isSequence, key: isText, kind: isText, text: isText, icon: isText, at: isTime };
const ONLINE = { people: isSequence, guests: isSequence, connections: isSequence };
const EVENTS = { topic: isText, events: isEvents };
const SNAPSHOT = { at: isTime, values: isRecord, events: isRecord, reset: Array.isArray };

/** @type {Record<string, Shape>} what each op carries beside a position */
const SHAPES = {
  // @ts-expect-error without the names that every object has
  __proto__: null,
  values: { at: isTime, values: isRecord },
  events: EVENTS,
  reset: EVENTS,
  error: { code: isText },
  pong: { at: isTime },
  beat: {},
  visitor: {},
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
 * @param {unknown} value
 * @returns {value is Online}
 */
export function isOnline(value) {
  return fits(value, ONLINE);
}

/**
 * A frame from the server, or null for everything that is not one.
 * @param {unknown} text
 * @returns {ServerFrame | null}
 */
export function parse(text) {
  const frame = json(text);
  const shape = fits(frame, POSITION) && SHAPES[frame.op];
  return shape && fits(frame, shape) ? frame : null;
}

/**
 * The answer of the polling address, or null. Lists that are left out are empty.
 * @param {unknown} text
 * @returns {Snapshot | null}
 */
export function parseSnapshot(text) {
  const frame = json(text);
  if (!fits(frame, POSITION) || frame.op !== "snapshot") return null;
  const snapshot = { values: {}, events: {}, reset: [], unavailable: [], ...frame };
  return fits(snapshot, SNAPSHOT) && Object.values(snapshot.events).every(isEvents) ? snapshot : null;
}

/**
 * @param {string[]} topics  tokens or plain topics
 * @param {Position | null} [position]
 */
export function subscribe(topics, position) {
  const { epoch, seq } = position ?? {};
  return frame("subscribe", { topics, epoch, seq });
}

/** @param {string[]} topics */
export function unsubscribe(topics) {
  return frame("unsubscribe", { topics });
}

/**
 * Somebody is here: on the site, or in a room.
 * @param {{state?: string, tabs?: number, visitor?: string, room?: string, here?: boolean}} what
 */
export function presence(what) {
  return frame("presence", what);
}

export function ping() {
  return frame("ping");
}

/**
 * @param {string} op
 * @param {object} [rest]
 */
function frame(op, rest) {
  return JSON.stringify({ op, ...rest });
}

/**
 * @param {any} text
 * @returns {any}
 */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {any} value
 * @param {Shape} shape
 */
function fits(value, shape) {
  return isRecord(value) && Object.entries(shape).every(([key, is]) => is(value[key]));
}

/** @param {any} events */
function isEvents(events) {
  return Array.isArray(events) && events.every((event) => fits(event, EVENT));
}

/** @param {unknown} value */
function isRecord(value) {
  return Object(value) === value && !Array.isArray(value);
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string";
}

/** @param {any} value */
function isTime(value) {
  return isText(value) && Number.isFinite(Date.parse(value));
}

/** @param {any} value */
function isSequence(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
