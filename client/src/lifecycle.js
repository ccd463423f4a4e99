/**
 * A page is hidden, sleeps, is put aside and comes back; the connection follows it.
 *
 * @typedef {{running: boolean, start: () => void, stop: () => void, wake: () => void}} Follower
 */

/** A tab that nobody has seen for so long needs no socket. */
const PAUSE_AFTER = 300_000;

/**
 * @param {Window} window
 * @param {Document} document
 * @param {Follower} connection
 * @param {Pick<import("./environment.js").Environment, "setTimeout" | "clearTimeout" | "touch">} env
 */
export function follow(window, document, connection, env) {
  let paused = false;
  /** @type {any} */
  let timer;

  const pause = () => {
    paused ||= connection.running;
    connection.stop();
  };
  const look = () => {
    env.clearTimeout(timer);
    if (document.hidden) timer = env.setTimeout(pause, PAUSE_AFTER);
    if (!paused) return connection.wake();
    if (document.hidden) return;
    paused = false;
    connection.start();
  };

  // Browsers keep a page for the way back only if it holds no open socket (or close it for us).
  // Events of the document as well, on their way down.
  for (const name of ["pagehide", "freeze"]) window.addEventListener(name, pause, true);
  for (const name of ["pageshow", "online", "resume", "visibilitychange"])
    window.addEventListener(name, look, true);
  for (const name of ["pointermove", "keydown", "scroll"]) window.addEventListener(name, env.touch, true);
  look();
}
