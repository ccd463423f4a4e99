/**
 * What all our elements share: they take hold of the client while they stand in the page, and let go
 * when they leave it. `client` is set where the elements are defined; importing has no effect.
 */
export class LiveElement extends HTMLElement {
  /** @type {import("./client.js").Client} */
  static client;

  /** @type {(() => void)[]} what to call when leaving */
  #holds = [];
  #here = false;

  get client() {
    return /** @type {typeof LiveElement} */ (this.constructor).client;
  }

  connectedCallback() {
    this.#here = true;
    this.#holds = this.hold();
  }

  disconnectedCallback() {
    this.#here = false;
    for (const release of this.#holds) release();
    this.#holds = [];
  }

  attributeChangedCallback() {
    if (!this.#here) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /**
   * Takes hold of what the element needs, and answers how to let go of each.
   * @returns {(() => void)[]}
   */
  hold() {
    return [];
  }

  /**
   * The part of the markup marked `data-live="name"`. Looked up when needed: while a page is still
   * being parsed, an element is connected before its children are there.
   * @param {string} name
   * @param {Element} [whole]
   * @returns {HTMLElement | null}
   */
  piece(name, whole = this) {
    return whole.querySelector(`[data-live="${name}"]`);
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  announce(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

/**
 * Writes only what differs, so that an unchanged page costs the browser nothing.
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
