/**
 * A world for tests: its own clock and timers, sockets and answers that the test holds in its hands.
 */

export const AT = "2026-11-21T07:40:12.000Z";

/** Lets every promise that can go on do so. */
export async function settle() {
  for (let i = 0; i < 30; i += 1) await null;
}

export class FakeSocket {
  readyState = 0;
  sent = [];
  onopen = null;
  onmessage = null;
  onclose = null;

  constructor(url) {
    this.url = url;
  }

  send(text) {
    if (!this.readyState) throw new DOMException("", "InvalidStateError");
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  /** The server's side of it. */
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }

  says(frame) {
    const text = typeof frame === "string" ? frame : JSON.stringify({ epoch: "ab12", seq: 1, ...frame });
    this.onmessage?.({ data: text });
  }

  pongs(seq = 1) {
    this.says({ op: "pong", at: AT, seq });
  }

  dies(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  asked(op) {
    return this.sent.filter((frame) => frame.op === op);
  }
}

/** An environment whose time moves only when told to. */
export class World {
  time = Date.parse(AT);
  chance = 0.5;
  isHidden = false;
  isTouched = true;
  calm = false;
  sockets = [];
  fetched = [];
  errors = [];
  frames = [];
  #timers = new Map();
  #next = 1;

  /** What a fetch gets: a function of (url, options). */
  answer = () => Promise.reject(new Error("no network"));

  env = {
    openSocket: (url) => {
      const socket = new FakeSocket(url);
      this.sockets.push(socket);
      return socket;
    },
    fetch: async (url, options) => {
      this.fetched.push({ url: new URL(url, "http://host.test/"), options });
      return this.answer(url, options);
    },
    setTimeout: (callback, ms) => {
      this.#timers.set(this.#next, { at: this.time + ms, callback });
      return this.#next++;
    },
    clearTimeout: (id) => this.#timers.delete(id),
    requestFrame: (callback) => this.frames.push(callback),
    now: () => this.time,
    random: () => this.chance,
    hidden: () => this.isHidden,
    attended: () => !this.isHidden && this.isTouched,
    touch: () => {
      this.isTouched = true;
    },
    reducedMotion: () => this.calm,
    report: (error) => this.errors.push(error),
  };

  get socket() {
    return this.sockets.at(-1);
  }

  get timers() {
    return this.#timers.size;
  }

  /** Moves on, timer by timer. */
  async pass(ms) {
    const end = this.time + ms;
    await settle();
    for (let due = this.#due(end); due; due = this.#due(end)) {
      const [id, { at, callback }] = due;
      this.#timers.delete(id);
      this.time = at;
      callback();
      await settle();
    }
    this.time = end;
  }

  /** Draws one frame. */
  frame(now) {
    for (const callback of this.frames.splice(0)) callback(now);
  }

  #due(end) {
    return [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
  }
}

/** An answer of the polling address. */
export function snapshot(parts = {}, tag = '"1"') {
  const body = {
    op: "snapshot",
    values: {},
    events: {},
    reset: [],
    unavailable: [],
    at: AT,
    epoch: "ab12",
    seq: 1,
  };
  return new Response(JSON.stringify({ ...body, ...parts }), { headers: { ETag: tag } });
}

export const UNCHANGED = () => new Response(null, { status: 304 });

export const SETTINGS = {
  socket: "ws://host.test/ws/live/?v=1&lang=en",
  snapshot: "http://host.test/live/snapshot/",
  visitor: "",
  viewer: "",
  language: "en",
  text: (state) =>
    ({
      live: "Live",
      reconnecting: "Reconnecting…",
      polling: "Every few seconds",
      stale: "Not up to date",
    })[state] ?? null,
};

export function event(seq, more = {}) {
  return {
    seq,
    key: String(seq),
    kind: "k",
    text: `Event ${seq}`,
    icon: "star",
    at: AT,
    actor: null,
    target: null,
    ...more,
  };
}
