// A polled API of the tests: a function that answers, fails or holds back.
import type { WorkerClock } from './worker-clock.js';

/** The updates of the tests. */
export interface Shop {
  progress: unknown;
  orders: unknown;
}

/** A polled API: what it answers, and when. */
export class Api {
  /** When calls began. */
  readonly calls: number[] = [];
  readonly signals: AbortSignal[] = [];
  value: unknown = 1;
  error: unknown;
  /** Set: calls are answered by `answer` only. */
  isHeld = false;
  open = 0;
  mostOpen = 0;
  readonly #clock: WorkerClock;
  readonly #held: (() => void)[] = [];

  constructor(clock: WorkerClock) {
    this.#clock = clock;
  }

  fetch = async (signal: AbortSignal): Promise<unknown> => {
    this.calls.push(this.#clock.time);
    this.signals.push(signal);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const { value, error } = this;
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    this.open -= 1;
    if (error !== undefined) throw error;
    return value;
  };

  /** Answers what was held back, with what was true when it was asked. */
  answer(): void {
    for (const one of this.#held.splice(0)) one();
  }
}
