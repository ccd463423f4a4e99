/**
 * All that the client wants from the browser, in one object, so that tests can hand in a world
 * with its own clock, sockets and chance.
 *
 * @typedef {object} WebSocketLike  what we use of a WebSocket
 * @property {number} readyState
 * @property {(text: string) => void} send
 * @property {() => void} close
 * @property {(() => void) | null} onopen
 * @property {((message: {data: any}) => void) | null} onmessage
 * @property {((event: {code: number}) => void) | null} onclose
 *
 * @typedef {object} Environment
 * @property {(url: string) => WebSocketLike} openSocket
 * @property {Pick<LockManager, "request"> | undefined} locks  shared by the pages of an origin, if they can be
 * @property {(name: string) => BroadcastChannel} channel
 * @property {(url: string, options?: RequestInit) => Promise<Response>} fetch
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: (now: number) => void) => any} requestFrame
 * @property {() => number} now  milliseconds since 1970, by the reader's own clock
 * @property {() => number} random  in [0, 1)
 * @property {() => boolean} hidden  nobody looks at this tab
 * @property {() => boolean} attended  somebody looks at it, and has touched it within five minutes
 * @property {(event: {timeStamp: number}) => void} touch
 * @property {() => boolean} reducedMotion
 * @property {(error: unknown) => void} report  tells the developer, never the reader
 */

const IDLE_AFTER = 300_000;

/**
 * An error in one listener must not stop the others.
 * @param {Environment["report"]} report
 * @param {Iterable<(...news: any[]) => void>} listeners
 * @param {any[]} news
 */
export function tell(report, listeners, ...news) {
  for (const listener of listeners) {
    try {
      listener(...news);
    } catch (error) {
      report(error);
    }
  }
}

/** @returns {Environment} */
export function browser() {
  let touched = 0;
  return {
    openSocket: (url) => /** @type {any} */ (new WebSocket(url)),
    // Only an encrypted page has locks.
    locks: navigator.locks,
    channel: (name) => new BroadcastChannel(name),
    fetch: (url, options) => fetch(url, options),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    requestFrame: (callback) => requestAnimationFrame(callback),
    now: Date.now,
    random: Math.random,
    hidden: () => document.hidden,
    attended: () => !document.hidden && performance.now() - touched < IDLE_AFTER,
    touch: ({ timeStamp }) => {
      touched = timeStamp;
    },
    reducedMotion: () => matchMedia("(prefers-reduced-motion: reduce)").matches,
    report: (error) => console.error("livecounters:", error),
  };
}
