// How often a user or an address may ask: token buckets that forget who does not ask.

/** Buckets that are kept. Past that all are refused until enough of them are full again. */
const BOUND = 100_000;

/** A rate for each key by itself, as the time at which the last request would be paid for (GCRA). */
export class RateLimit {
  readonly #interval: number;
  readonly #burst: number;
  readonly #paid = new Map<string, number>();
  #tidied = 0;

  /** `count` requests in `per` milliseconds, all of them at once if need be; 0 limits nothing. */
  constructor(count: number, per: number) {
    this.#interval = count > 0 ? per / count : 0;
    this.#burst = per;
  }

  /** Takes one for `key`. Returns 0, or how long to wait for the next one, in milliseconds. */
  take(key: string, now: number): number {
    if (this.#interval === 0) return 0;
    if (this.#paid.size >= BOUND && !this.#tidy(now)) return 1_000;
    const paid = Math.max(this.#paid.get(key) ?? 0, now) + this.#interval;
    if (paid - now > this.#burst) return paid - now - this.#burst;
    this.#paid.set(key, paid);
    return 0;
  }

  /** Forgets the full buckets, at most once a second. Returns true if there is space. */
  #tidy(now: number): boolean {
    if (now - this.#tidied >= 1_000) {
      this.#tidied = now;
      for (const [key, paid] of this.#paid) if (paid <= now) this.#paid.delete(key);
    }
    return this.#paid.size < BOUND;
  }
}
