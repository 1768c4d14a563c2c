// A list of listeners for one kind of event.
import { report } from './errors.js';
import { inZone } from './zone.js';

/** Listeners of one kind of event. One that throws is reported and the others are still called. */
export class Emitter<T> {
  readonly #listeners = new Set<{ fn: (value: T) => void }>();

  /** Adds a listener, even one that is there already; the returned function takes this one away. */
  add(fn: (value: T) => void): () => void {
    const entry = { fn: inZone(fn) };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Calls those that were there at the start and still are when their turn comes. */
  emit(value: T): void {
    for (const entry of [...this.#listeners]) {
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.fn(value);
      } catch (thrown) {
        report(thrown);
      }
    }
  }
}
