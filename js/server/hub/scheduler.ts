// One timer for all deadlines, and one task for whatever is due at once.
import { soon } from '../runtime.js';

/** What a scheduler needs of its runtime. */
export interface Timers {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Calls back behind the events that are waiting. */
  soon(work: () => void): void;
  /** Calls back after `ms` milliseconds. Returns what cancels it. */
  later(work: () => void, ms: number): () => void;
}

/** Longer delays do not fit a timer; the deadline is looked at again then. */
const LONGEST = 60_000;

/** The timers of the runtime. They keep no process alive: its sockets do. */
export const runtimeTimers: Timers = {
  now: () => Math.floor(performance.now()) + 1,
  soon,
  later(work, ms) {
    const timer: unknown = setTimeout(work, Math.min(ms, LONGEST));
    (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer as number);
  },
};

/** A pause after work is at most this long, in milliseconds. */
const LONGEST_REST = 50;

/**
 * Calls `work` soon after {@link wake}, and at the deadline that `work` returns.
 *
 * After work it rests for as long as the work took, 50 ms at most: the rest of the process gets half
 * of the time, and what is published meanwhile is joined into one write. Without load there is no
 * work to rest from.
 */
export class Scheduler {
  readonly #timers: Timers;
  readonly #work: () => number;
  #soon = false;
  #deadline = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #spent = 0;
  #restUntil = 0;

  /** `work` returns when to call it again, on the clock of `timers`; infinity for never. */
  constructor(timers: Timers, work: () => number) {
    this.#timers = timers;
    this.#work = work;
  }

  /** Has the work done behind the events that are waiting, once. */
  wake(): void {
    if (this.#soon || this.#stopped) return;
    this.#soon = true;
    const work = () => {
      this.#soon = false;
      this.#run();
    };
    const rest = this.#restUntil - this.#timers.now();
    if (rest > 0) this.#timers.later(work, rest);
    else this.#timers.soon(work);
  }

  /** Notes how long the work took, and whether it is to be continued at once. */
  spent(ms: number, more: boolean): void {
    this.#spent += ms;
    if (more) {
      this.wake();
      return;
    }
    this.#restUntil = this.#timers.now() + Math.min(this.#spent, LONGEST_REST);
    this.#spent = 0;
  }

  /** Has the work done at a time, unless it is done earlier anyway. */
  at(deadline: number): void {
    if (this.#stopped || this.#soon || deadline >= this.#deadline) return;
    this.#cancel?.();
    this.#deadline = deadline;
    const wait = Math.max(deadline - this.#timers.now(), 0);
    this.#cancel = this.#timers.later(() => {
      this.#deadline = Number.POSITIVE_INFINITY;
      this.#run();
    }, wait);
  }

  /** Ends it: nothing is called any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #run(): void {
    if (this.#stopped) return;
    this.at(this.#work());
  }
}
