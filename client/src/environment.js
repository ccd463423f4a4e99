/**
 * All that the client wants from the browser, in one object, so that tests can hand in a world
 * with its own clock, sockets and chance.
 *
 * @typedef {object} Environment
 * @property {(url: string) => WebSocket} openSocket
 * @property {(url: string, options: RequestInit) => Promise<Response>} fetch
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: (now: number) => void) => any} requestFrame
 * @property {() => number} now  milliseconds since 1970, by the reader's own clock
 * @property {() => number} random  in [0, 1)
 * @property {() => boolean} hidden  nobody looks at this tab
 * @property {() => boolean} reducedMotion
 * @property {(error: unknown) => void} report  tells the developer, never the reader
 */

/** @returns {Environment} */
export function browser() {
  return {
    openSocket: (url) => new WebSocket(url),
    fetch: (url, options) => fetch(url, options),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    requestFrame: (callback) => requestAnimationFrame(callback),
    now: () => Date.now(),
    random: () => Math.random(),
    hidden: () => document.hidden,
    reducedMotion: () => matchMedia("(prefers-reduced-motion: reduce)").matches,
    report: (error) => console.error("livecounters:", error),
  };
}
