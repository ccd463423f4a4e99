/**
 * A browser with several tabs: what their worlds share are locks and channels.
 */

import { settle, World } from "./world.js";

export class Browser {
  tabs = [];
  #held = new Map();
  #waiting = [];
  #channels = new Set();

  /** Another tab; each with a chance of its own, so that no two are confused. */
  tab() {
    const world = new World();
    world.chance = 0.1 + this.tabs.length / 100;
    world.env.locks = { request: (...given) => this.#request(world, ...given) };
    world.env.channel = (name) => this.#channel(world, name);
    this.tabs.push(world);
    return world;
  }

  /** The sockets that a server would see. */
  get sockets() {
    return this.tabs.flatMap((tab) => tab.sockets).filter((socket) => socket.readyState < 3);
  }

  get socket() {
    return this.sockets[0];
  }

  /** Ends without a word, as in a crash. */
  crash(tab) {
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    for (const channel of this.#channels) if (channel.tab === tab) this.#channels.delete(channel);
    this.#waiting = this.#waiting.filter((each) => each.tab !== tab);
    for (const [name, holder] of this.#held) if (holder.tab === tab) this.#release(name, holder);
  }

  async pass(ms) {
    for (let left = ms; left > 0; left -= 500) {
      for (const tab of this.tabs) await tab.pass(Math.min(left, 500));
    }
    await settle();
  }

  #request(tab, name, options, work) {
    return new Promise((resolve, reject) => {
      const aborted = () => reject(new DOMException("", "AbortError"));
      const each = { tab, name, work, resolve, reject, aborted };
      options.signal?.addEventListener("abort", () => {
        if (!this.#waiting.includes(each)) return;
        this.#waiting.splice(this.#waiting.indexOf(each), 1);
        aborted();
      });
      if (!options.steal) this.#waiting.push(each);
      if (options.steal) {
        this.#held.get(name)?.aborted();
        this.#grant(each);
      }
      this.#next(name);
    });
  }

  #next(name) {
    const first = this.#waiting.find((each) => each.name === name);
    if (!first || this.#held.has(name)) return;
    this.#waiting.splice(this.#waiting.indexOf(first), 1);
    this.#grant(first);
  }

  #grant(each) {
    this.#held.set(each.name, each);
    queueMicrotask(async () => {
      try {
        if (this.tabs.includes(each.tab)) each.resolve(await each.work());
      } catch (error) {
        each.reject(error);
      }
      this.#release(each.name, each);
    });
  }

  #release(name, holder) {
    if (this.#held.get(name) !== holder) return;
    this.#held.delete(name);
    this.#next(name);
  }

  #channel(tab, name) {
    const channel = { tab, name, onmessage: null };
    channel.close = () => this.#channels.delete(channel);
    channel.postMessage = (message) => {
      const data = structuredClone(message);
      for (const other of this.#channels) {
        if (other === channel || other.name !== name) continue;
        queueMicrotask(() => this.#channels.has(other) && !tab.asleep && other.onmessage?.({ data }));
      }
    };
    this.#channels.add(channel);
    return channel;
  }
}
