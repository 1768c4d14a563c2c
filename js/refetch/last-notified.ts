// The table of when each type was last notified.
import { overlap } from '../model/patterns.js';

/** When something was last notified: on the logical clock, and in milliseconds since 1970. */
export interface Stamp {
  readonly tick: number;
  readonly at: number;
}

const never: Stamp = { tick: 0, at: 0 };

/**
 * Remembers when each type was last notified, for components that mount later over data that was
 * fetched before.
 *
 * ```ts
 * const notified = new LastNotified(1000);
 * notified.note('projects', { tick: 7, at: Date.now() }, false);
 * notified.last(['projects'], false).tick; // 7
 * ```
 *
 * Bounded: beyond `limit` types the longest silent one is forgotten, and from then on counts, with
 * every type not on the list, as notified when it was last: a needless refetch, never a missed one.
 */
export class LastNotified {
  readonly #limit: number;
  /**
   * In the order of the last notification. The first stamp leaves out changes of this tab, the
   * second has all.
   */
  readonly #types = new Map<string, readonly [Stamp, Stamp]>();
  #forgotten: readonly [Stamp, Stamp] = [never, never];
  /** A resync of everything. */
  #everything = never;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Notes an update, or a resync of one type or pattern. */
  note(type: string, stamp: Stamp, own: boolean): void {
    const [foreign] = this.#types.get(type) ?? this.#forgotten;
    this.#types.delete(type);
    this.#types.set(type, [own ? foreign : stamp, stamp]);
    if (this.#types.size <= this.#limit) return;
    for (const [oldest, [theirs, all]] of this.#types) {
      this.#types.delete(oldest);
      this.#forgotten = [later(this.#forgotten[0], theirs), later(this.#forgotten[1], all)];
      return;
    }
  }

  /** Forgets everything, for another user. */
  clear(): void {
    this.#types.clear();
    this.#forgotten = [never, never];
    this.#everything = never;
  }

  /** Notes a resync of everything. */
  noteAll(stamp: Stamp): void {
    this.#everything = stamp;
  }

  /** When any type of the patterns was last notified, changes of this tab included or not. */
  last(patterns: readonly string[], own: boolean): Stamp {
    const which = own ? 1 : 0;
    let latest = later(this.#everything, this.#forgotten[which]);
    for (const [type, stamps] of this.#types) {
      if (overlap(patterns, [type])) latest = later(latest, stamps[which]);
    }
    return latest;
  }
}

function later(a: Stamp, b: Stamp): Stamp {
  return b.tick > a.tick ? b : a;
}
