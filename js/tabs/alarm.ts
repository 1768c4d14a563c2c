// One timer of a tab, which knows how late it fires.
import type { TabEnvironment } from './messages.js';

/** A timer that holds one call at a time. */
export class Alarm {
  readonly #env: TabEnvironment;
  #timer: unknown;
  #due = 0;

  constructor(env: TabEnvironment) {
    this.#env = env;
  }

  /** Calls `fn` after `ms` milliseconds, in place of what was set before. */
  set(ms: number, fn: () => void): void {
    this.clear();
    this.#due = this.#env.now() + ms;
    this.#timer = this.#env.setTimeout(fn, ms);
  }

  clear(): void {
    this.#env.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Returns by how many milliseconds the call that was set last is late. */
  late(): number {
    return this.#env.now() - this.#due;
  }
}
