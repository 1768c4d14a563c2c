// The clock of a worker under test: time passes when the test lets it.
import type { WorkerTimers } from '../../../../js/server/worker/timers.js';

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** Virtual timers. `random` returns 0 unless a test replaces it, so pauses are the shortest ones. */
export class WorkerClock implements WorkerTimers {
  time = 0;
  random = () => 0;
  /** Called after each timer, when nothing is left to do at this time. */
  onQuiet: () => void = () => {};
  readonly #timers = new Map<number, Timer>();
  readonly #waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  #last = 0;

  now = () => this.time;

  setTimeout = (work: () => void, ms: number): number => {
    const at = this.time + ms;
    this.#last += 1;
    this.#timers.set(this.#last, { at, work });
    for (const one of this.#waiting.splice(0)) {
      if (one.at === at) one.resolve();
      else this.#waiting.push(one);
    }
    return this.#last;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as number);
  };

  /** When the timers that are set go off. */
  get deadlines(): readonly number[] {
    return [...this.#timers.values()].map(({ at }) => at).sort((a, b) => a - b);
  }

  /** Resolves when a timer is set for this time: for work that takes real time. */
  until(at: number): Promise<void> {
    if (this.deadlines.includes(at)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ at, resolve }));
  }

  /** Lets time pass, and everything happen that is due meanwhile. */
  async run(ms: number): Promise<void> {
    const end = this.time + ms;
    await this.quiet();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [id, timer] = next;
      this.#timers.delete(id);
      this.time = Math.max(this.time, timer.at);
      timer.work();
      await this.quiet();
    }
    this.time = end;
  }

  /** Lets all promises settle that need no time. */
  async quiet(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.onQuiet();
  }

  /** The timer that is due next; of those at one time the one that was set first. */
  #next(end: number): [number, Timer] | undefined {
    const due = [...this.#timers].filter(([, { at }]) => at <= end);
    return due.sort(([a, { at: first }], [b, { at: second }]) => first - second || a - b)[0];
  }
}
