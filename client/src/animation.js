/**
 * Numbers that glide from one value of the server to the next. One frame callback serves them all.
 *
 * @typedef {import("./environment.js").Environment} Environment
 * @typedef {{from: number, to: number, begin: number | null,
 *            draw: (shown: number) => void, end: () => void}} Glide
 */

const DURATION = 400;

/** More numbers than this at once no eye follows, and laying them out again and again is dear. */
const MOST = 60;

export class Animation {
  #env;
  /** @type {Map<object, Glide>} */ #glides = new Map();

  /** @param {Environment} env */
  constructor(env) {
    this.#env = env;
  }

  /**
   * The last call is always `end`; a glide of the same owner that is under way is replaced.
   * @param {object} owner
   * @param {number} from
   * @param {number} to
   * @param {(shown: number) => void} draw
   * @param {() => void} end
   */
  glide(owner, from, to, draw, end) {
    this.#glides.delete(owner);
    if (this.#glides.size >= MOST || this.#env.reducedMotion() || this.#env.hidden()) return end();
    if (!this.#glides.size) this.#next();
    this.#glides.set(owner, { from, to, begin: null, draw, end });
  }

  /** @param {object} owner */
  stop(owner) {
    this.#glides.delete(owner);
  }

  #next() {
    this.#env.requestFrame((now) => this.#frame(now));
  }

  /** @param {number} now */
  #frame(now) {
    for (const [owner, glide] of this.#glides) {
      try {
        this.#step(owner, glide, now);
      } catch (error) {
        this.#glides.delete(owner);
        this.#env.report(error);
      }
    }
    if (this.#glides.size) this.#next();
  }

  /**
   * @param {object} owner
   * @param {Glide} glide
   * @param {number} now
   */
  #step(owner, glide, now) {
    glide.begin ??= now;
    const part = (now - glide.begin) / DURATION;
    if (part >= 1) {
      this.#glides.delete(owner);
      glide.end();
    } else {
      const eased = 1 - (1 - part) ** 3;
      glide.draw(glide.from + (glide.to - glide.from) * eased);
    }
  }
}
