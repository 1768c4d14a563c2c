// Virtual time for the coordinator.
import type { SchedulerEnv } from '../../../js/refetch/query.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Virtual time: nothing moves but by `run`. Microtasks are let through after every timer. */
export class VirtualWorld implements SchedulerEnv {
  time = 1_000_000;
  visible = true;
  /** What `random` answers, last one for ever. */
  draws: number[] = [0.5];
  readonly #timers = new Map<number, Timer>();
  #order = 0;

  now = () => this.time;
  random = () => (this.draws.length > 1 ? this.draws.shift() : this.draws[0]) ?? 0;
  hidden = () => !this.visible;

  setTimeout = (fn: () => void, ms: number): number => {
    this.#order += 1;
    this.#timers.set(this.#order, { at: this.time + ms, order: this.#order, fn });
    return this.#order;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as number);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets `ms` milliseconds pass. */
  async run(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next.order);
      this.time = Math.max(this.time, next.at);
      next.fn();
      await settle();
    }
    this.time = end;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.at <= end && (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)))
        first = timer;
    }
    return first;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await undefined;
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
