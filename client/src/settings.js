/**
 * What the server wrote into the page for us: `<meta name="livecounters" data-…>`.
 *
 * @typedef {object} Settings
 * @property {string} socket  address of the socket, or "" for a host without one
 * @property {string} snapshot  address of the polling answer, or ""
 * @property {string} visitor  address that says who a reader is, or ""
 * @property {string} viewer  changes when the reader logs in or out
 * @property {string} language
 * @property {(state: string) => string | null} text  a translated line for a state
 */

import { VERSION } from "./frames.js";

/**
 * Null where the page carries no such tag: then the client stays asleep.
 * @param {Document} document
 * @returns {Settings | null}
 */
export function readSettings(document) {
  const meta = /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="livecounters"]'));
  if (!meta) return null;
  const { socket, snapshot, visitor, viewer, language } = meta.dataset;
  const spoken = language || document.documentElement.lang || "en";
  return {
    socket: socket ? socketUrl(socket, spoken, document.baseURI) : "",
    snapshot: absolute(snapshot, document),
    visitor: absolute(visitor, document),
    viewer: viewer ?? "",
    language: spoken,
    text: (state) => meta.getAttribute(`data-text-${state}`),
  };
}

/**
 * @param {string | undefined} path
 * @param {Document} document
 */
function absolute(path, { baseURI }) {
  return path ? new URL(path, baseURI).href : "";
}

/**
 * @param {string} path
 * @param {string} language
 * @param {string} base
 */
function socketUrl(path, language, base) {
  const url = new URL(path, base);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("v", `${VERSION}`);
  url.searchParams.set("lang", language);
  return url.href;
}
