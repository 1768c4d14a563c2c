// One call of a source, with its time limit.
import type { Answer, Source, Validators } from './answer.js';
import { failureOf, PollFailure } from './failure.js';
import type { WorkerTimers } from './timers.js';

/** What becomes of a call. */
export interface CallEvents<V> {
  /** The answer, once: what the source returned, or that it took too long. */
  onAnswer(answer: Answer<V>): void;
  /** The promise of the source is settled: another call may be made. After `onAnswer`. */
  onSettled(): void;
}

/** A call of a source that is not settled yet. */
export class Call<V> {
  readonly #abort = new AbortController();
  readonly #timers: WorkerTimers;
  readonly #events: CallEvents<V>;
  readonly #timer: unknown;
  #isAnswered = false;
  #isOverdue = false;

  /** Calls the source behind the code that is running. `timeout` is in milliseconds. */
  constructor(
    source: Source<V>,
    known: Validators | undefined,
    timeout: number,
    timers: WorkerTimers,
    events: CallEvents<V>,
  ) {
    this.#timers = timers;
    this.#events = events;
    this.#timer = timers.setTimeout(() => {
      this.#isOverdue = true;
      this.#answer({ kind: 'failed', failure: new PollFailure('no answer in time') });
      this.#abort.abort();
    }, timeout);
    const { signal } = this.#abort;
    const asked = Promise.resolve().then(() => source(known, signal));
    const failed = (error: unknown): Answer<V> => ({ kind: 'failed', failure: failureOf(error) });
    void asked.catch(failed).then((answer) => {
      this.#answer(answer);
      this.#events.onSettled();
    });
  }

  /** True from the answer until the source is settled: for longer only where it is overdue. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** True after the time limit: the source still works, for ever if it ignores its signal. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** Gives the call up: its answer does not matter any more. */
  cancel(): void {
    this.#isAnswered = true;
    this.#timers.clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #answer(answer: Answer<V>): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#timers.clearTimeout(this.#timer);
    this.#events.onAnswer(answer);
  }
}
