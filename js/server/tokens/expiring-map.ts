// Names with a time and a value each, which are forgotten when their time is over.

/** What a second holds, in the order of the seconds. */
interface Second {
  readonly at: number;
  readonly names: Set<string>;
}

/**
 * A map whose entries have a time, in milliseconds, and are forgotten by it: never before, and at
 * most a second later. Times may come in any order.
 *
 * ```ts
 * const used = new ExpiringMap<string>();
 * used.set('token-1', 60_000, 'ada');
 * used.forget(61_000, (name, user) => console.log(name, user));
 * ```
 */
export class ExpiringMap<V> {
  readonly #entries = new Map<string, { readonly second: number; readonly value: V }>();
  /** Ascending. At most one for each second in which entries end. */
  readonly #seconds: Second[] = [];

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the value of a name. */
  get(name: string): V | undefined {
    return this.#entries.get(name)?.value;
  }

  /** Returns true if the name is known. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Sets the value of a name and the time until which it is kept. */
  set(name: string, until: number, value: V): void {
    this.delete(name);
    const second = Math.ceil(until / 1_000);
    this.#entries.set(name, { second, value });
    this.#second(second).names.add(name);
  }

  /** Removes a name. Returns its value. */
  delete(name: string): V | undefined {
    const entry = this.#entries.get(name);
    if (!entry) return undefined;
    this.#entries.delete(name);
    this.#second(entry.second).names.delete(name);
    return entry.value;
  }

  /** Forgets all whose time is over at `now`. `gone` gets each. */
  forget(now: number, gone: (name: string, value: V) => void): void {
    for (let first = this.#seconds[0]; first && first.at * 1_000 < now; first = this.#seconds[0]) {
      this.#seconds.shift();
      for (const name of first.names) {
        const value = this.get(name) as V;
        this.#entries.delete(name);
        gone(name, value);
      }
    }
  }

  /** The second `at`, which is made if it is not there. */
  #second(at: number): Second {
    let [low, high] = [0, this.#seconds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seconds[middle] as Second).at < at) low = middle + 1;
      else high = middle;
    }
    const found = this.#seconds[low];
    if (found?.at === at) return found;
    const made = { at, names: new Set<string>() };
    this.#seconds.splice(low, 0, made);
    return made;
  }
}
