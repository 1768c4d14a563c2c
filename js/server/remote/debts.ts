// The types whose updates were lost, which have to be announced. Pure.

/** Types, or `null` for all. */
export type Types = readonly string[] | null;

/** Types that are counted one by one; above that everything is announced. */
const MAX_TYPES = 256;

/** What has to be announced. */
export class Debts {
  readonly #types = new Set<string>();
  #isEverything = false;

  /** True if there is nothing to announce. */
  get isEmpty(): boolean {
    return !this.#isEverything && this.#types.size === 0;
  }

  /** The types, in the order in which they were added; `null` for all. */
  get types(): Types {
    return this.#isEverything ? null : [...this.#types];
  }

  /** Adds a type; `null` for all. Returns false if it was there. */
  add(type: string | null): boolean {
    if (this.#isEverything || (type !== null && this.#types.has(type))) return false;
    if (type === null || this.#types.size >= MAX_TYPES) this.#isEverything = true;
    else this.#types.add(type);
    return true;
  }

  /** Adds several types; `null` for all. */
  addAll(types: Types): void {
    for (const type of types ?? [null]) this.add(type);
  }

  /** Takes all of them out. */
  take(): Types {
    const { types } = this;
    this.#types.clear();
    this.#isEverything = false;
    return types;
  }
}
