/**
 * A page sleeps, is put aside and comes back; the connection follows it.
 *
 * @typedef {{running: boolean, start: () => void, stop: () => void, wake: () => void}} Follower
 * @param {Window} window
 * @param {Document} document
 * @param {Follower} connection
 */
export function follow(window, document, connection) {
  let aside = false;

  // Browsers keep a page for the way back only if it holds no open socket (or close it for us).
  window.addEventListener("pagehide", () => {
    aside = connection.running;
    connection.stop();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && aside) connection.start();
    aside = false;
  });
  window.addEventListener("online", () => connection.wake());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) connection.wake();
  });
}
