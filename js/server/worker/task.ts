// One poller at work: asks when it is time and a stream may receive the type, and notifies.
import { HubError } from '../errors.js';
import type { Audience, NotifyOptions } from '../types.js';
import type { Answer, Source } from './answer.js';
import { Call } from './call.js';
import { failureOf } from './failure.js';
import type { PollRecovery } from './options.js';
import type { PollerState, View } from './state.js';
import type { WorkerTimers } from './timers.js';

/** The last known value of a poller. */
export interface PolledValue<V> {
  /** The value of the newest good answer. It is not a copy: do not change it. */
  readonly data: V;
  /** Time since it was last confirmed, in whole milliseconds. */
  readonly age: number;
  /** True if it is older than `maxStale`. */
  readonly stale: boolean;
  /** Why the last attempt failed; absent if it did not. */
  readonly error?: HubError;
}

/** A poller at work. */
export interface Poller<V = unknown> {
  /** The type that it notifies. */
  readonly type: string;
  /** Returns the last known value; `undefined` before the first good answer. */
  value(): PolledValue<V> | undefined;
  /**
   * Asks now, whether or not a stream may receive the type, and also during the pause after a
   * failure. If a request is under way, asks again behind it; calls that wait for that share one
   * request. Never rejects: resolves with the last known value when the attempt is over. Resolves
   * at once if the poller is stopped, or if `fetch` works on after its `timeout`.
   */
  refresh(): Promise<PolledValue<V> | undefined>;
  /** Ends it: aborts a request under way, notifies nothing any more. The last value stays. */
  stop(): void;
}

/** What a poller needs of the worker. */
export interface TaskContext<V> {
  readonly type: string;
  readonly to: readonly Audience[];
  readonly key: string | undefined;
  readonly timeout: number;
  readonly state: PollerState<V>;
  readonly source: Source<V>;
  readonly timers: WorkerTimers;
  /** Returns the data of a notification. Throws what goes to `onError`. */
  dataOf(value: V): unknown;
  notify(options: NotifyOptions): void;
  watch(listener: (seen: boolean) => void): () => void;
  onError(error: HubError): void;
  onRecover(recovery: PollRecovery): void;
  onStop(): void;
}

/** Those who wait for the next attempt. */
interface Waiting<V> {
  readonly done: Promise<PolledValue<V> | undefined>;
  readonly resolve: (value: PolledValue<V> | undefined) => void;
}

/** One poller at work, from its construction until it is stopped. */
export class PollTask<V> implements Poller<V> {
  readonly type: string;
  readonly #context: TaskContext<V>;
  readonly #unwatch: () => void;
  #isSeen = false;
  #isStopped = false;
  #isStepping = false;
  #timer: unknown;
  #call: Call<V> | undefined;
  /** Who waits for the call under way, and who for the one behind it. */
  #current: Waiting<V> | undefined;
  #next: Waiting<V> | undefined;
  #failingSince = 0;
  #isSendFailing = false;

  constructor(context: TaskContext<V>) {
    this.type = context.type;
    this.#context = context;
    this.#unwatch = context.watch((seen) => {
      this.#isSeen = seen;
      this.#run();
    });
  }

  value(): PolledValue<V> | undefined {
    const { known, stale, failures } = this.#view();
    if (!known) return undefined;
    const value = { data: known.data, age: known.age, stale };
    return failures > 0 ? { ...value, error: this.#error() } : value;
  }

  refresh(): Promise<PolledValue<V> | undefined> {
    if (this.#isStopped) return Promise.resolve(this.value());
    this.#next ??= waiting();
    const { done } = this.#next;
    this.#run();
    return this.#call?.isOverdue ? Promise.resolve(this.value()) : done;
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#context.timers.clearTimeout(this.#timer);
    this.#call?.cancel();
    this.#unwatch();
    this.#context.onStop();
    for (const one of [this.#current, this.#next]) one?.resolve(this.value());
  }

  /** Does what there is to do, and sets the timer for the rest. */
  #run(): void {
    // Callbacks of the application may lead here again; the loop below sees what they changed.
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      while (!this.#isStopped && this.#step());
    } finally {
      this.#isStepping = false;
    }
  }

  /** Returns true if there may be more to do. */
  #step(): boolean {
    const { state, timers } = this.#context;
    timers.clearTimeout(this.#timer);
    const isFree = this.#call === undefined;
    if (isFree && this.#next) return this.#ask();
    // What is under way decides what there is to notify.
    if (!this.#isSeen || this.#call?.isAnswered === false) return false;
    const now = timers.now();
    const want = state.wants(now, isFree);
    if (want.kind === 'ask') return this.#ask();
    if (want.kind === 'notify') return this.#notify(now);
    if (want.at !== Number.POSITIVE_INFINITY) this.#timer = timers.setTimeout(() => this.#run(), want.at - now);
    return false;
  }

  #ask(): boolean {
    const { source, state, timeout, timers } = this.#context;
    this.#current = this.#next;
    this.#next = undefined;
    this.#call = new Call(source, state.validators, timeout, timers, {
      onAnswer: (answer) => this.#answered(answer),
      onSettled: () => {
        this.#call = undefined;
        this.#run();
      },
    });
    return false;
  }

  #answered(answer: Answer<V>): void {
    const { state, timers } = this.#context;
    const now = timers.now();
    const before = state.view(now).failures;
    const outcome = state.onAnswer(now, answer);
    if (outcome === 'failed' && before === 0) this.#failing(now);
    if (outcome !== 'failed' && before > 0) this.#recovered(now, before);
    this.#run();
    this.#current?.resolve(this.value());
    this.#current = undefined;
  }

  #notify(now: number): boolean {
    const { state, key, to } = this.#context;
    const data = this.#data();
    try {
      this.#context.notify({ data, key, ...(to.length > 0 && { to }) });
      state.notified();
    } catch (error) {
      // A service never throws; one that does has not taken it.
      state.notNotified(now);
      this.#report(new HubError('poll_failed', `${this.type} could not be notified: ${failureOf(error).message}`));
    }
    return true;
  }

  /** What a notification carries. Nothing if the value is stale: it would look like a new one. */
  #data(): unknown {
    const { known, stale } = this.#view();
    if (!known || stale) return undefined;
    try {
      const data = this.#context.dataOf(known.data);
      this.#isSendFailing = false;
      return data;
    } catch (error) {
      const text = `${this.type} is notified without data: ${failureOf(error).message}`;
      if (!this.#isSendFailing) this.#report(new HubError('poll_failed', text));
      this.#isSendFailing = true;
      return undefined;
    }
  }

  #failing(now: number): void {
    this.#failingSince = now;
    this.#report(this.#error());
  }

  #recovered(now: number, failures: number): void {
    const { onRecover } = this.#context;
    const duration = now - this.#failingSince;
    this.#safely(() => onRecover({ type: this.type, failures, duration }));
  }

  #report(error: HubError): void {
    this.#safely(() => this.#context.onError(error));
  }

  #safely(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      console.error(thrown);
    }
  }

  #view(): View<V> {
    return this.#context.state.view(this.#context.timers.now());
  }

  /** What failed last, and what happens now. */
  #error(): HubError {
    const { state, timers } = this.#context;
    const { failure, known } = this.#view();
    const value = known ? `the last value, ${seconds(known.age)} old, is served` : 'there is no value yet';
    const wait = Math.max(0, state.due - timers.now());
    const next = this.#isSeen ? `next attempt in ${seconds(wait)}` : 'next attempt when a stream may receive the type';
    const retryAfter = failure?.retryAfter === undefined ? undefined : failure.retryAfter / 1_000;
    const text = `polling ${this.type} failed: ${failure?.message}; ${value}; ${next}`;
    return new HubError('poll_failed', text, { status: failure?.status, retryAfter });
  }
}

function waiting<V>(): Waiting<V> {
  let resolve: Waiting<V>['resolve'] = () => {};
  const done = new Promise<PolledValue<V> | undefined>((given) => {
    resolve = given;
  });
  return { done, resolve };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
