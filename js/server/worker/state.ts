// What a poller knows and decides: answers and the time come in, wishes come out.
//
// *Invariant:* a notification that is due stays due until the service has it, whatever fails in
// between.
//
// Absent here: HTTP, timers, the service, who may see the type. The rules are those of the Rust
// server (`hub/src/poll/poller.rs`).
import type { Answer, Reading, Validators } from './answer.js';
import { failureOf, PollFailure } from './failure.js';

/** Failures in a row make the pauses longer, up to this many milliseconds. */
const CAP = 30_000;
/** Between attempts to notify, at least and again at most as jitter, in milliseconds. */
const RENOTIFY = 500;
/** A server may ask to be left alone for this long at most, in milliseconds. */
const MAX_AWAY = 3_600_000;
/** Doublings of the pause; the cap applies long before. */
const MAX_DOUBLINGS = 20;

/** How a poller works. Durations are in milliseconds. */
export interface Rules<V> {
  readonly every: number;
  /** An older value is stale. */
  readonly maxStale: number;
  /** Returns true if `next` is no change. What it throws makes the answer a failure. */
  isSame(previous: Reading<V>, next: Reading<V>): boolean;
}

/** How asking ended. */
export type Outcome = 'changed' | 'unchanged' | 'not-modified' | 'failed';

/** What a poller wants to do; `at` is infinity if nothing but an answer changes that. */
export type Want =
  | { readonly kind: 'ask' }
  | { readonly kind: 'notify' }
  | { readonly kind: 'wait'; readonly at: number };

/** What there is to show. */
export interface View<V> {
  /** The value of the newest good answer; `undefined` before the first. */
  readonly known: { readonly data: V; readonly age: number } | undefined;
  /** Whether the value is missing or older than it may be. */
  readonly stale: boolean;
  /** Failures since the last good answer. */
  readonly failures: number;
  /** The last of them. */
  readonly failure: PollFailure | undefined;
}

interface Known<V> {
  readonly reading: Reading<V>;
  readonly validators: Validators;
  /** When it was last confirmed. */
  readonly at: number;
}

/**
 * Watches one value for changes.
 *
 * ```ts
 * const state = new PollerState<number>({ every: 2_000, maxStale: 6_000, isSame: (a, b) => a.print === b.print }, Math.random);
 * state.onAnswer(0, { kind: 'value', reading: { value: 1, print: '1' }, validators: { etag: undefined, modified: undefined } });
 * state.wants(0); // { kind: 'notify' }
 * state.notified();
 * state.wants(0); // { kind: 'wait', at: 2_000 }
 * ```
 */
export class PollerState<V> {
  readonly #rules: Rules<V>;
  readonly #random: () => number;
  #known: Known<V> | undefined;
  /**
   * The value at the last change. A function of the application compares with it: compared with the
   * answer before, a value that moves slowly would never have changed enough.
   */
  #reference: Reading<V> | undefined;
  /** The service does not have it yet that something changed. */
  #isOwed = false;
  /** It was notified that the value is stale. */
  #isStaleNotified = false;
  #notifyAt = 0;
  #failures = 0;
  #failure: PollFailure | undefined;
  #due = Number.NEGATIVE_INFINITY;
  /** Until when the server asked to be left alone. */
  #away = Number.NEGATIVE_INFINITY;

  /** Knows nothing, and wants to ask at once. `random` returns numbers in [0, 1). */
  constructor(rules: Rules<V>, random: () => number) {
    this.#rules = rules;
    this.#random = random;
  }

  /** What the next conditional request may refer to. */
  get validators(): Validators | undefined {
    return this.#known?.validators;
  }

  /** When to ask next. */
  get due(): number {
    return this.#due;
  }

  /**
   * Takes an answer. A notification becomes due if the value is another one, or if the one that is
   * confirmed had become stale.
   */
  onAnswer(now: number, answer: Answer<V>): Outcome {
    const wasStale = this.#known !== undefined && this.view(now).stale;
    const outcome = this.#take(now, answer);
    if (outcome instanceof PollFailure) {
      this.#fail(now, outcome);
      return 'failed';
    }
    this.#failures = 0;
    this.#failure = undefined;
    this.#away = Number.NEGATIVE_INFINITY;
    this.#due = now + this.#rules.every;
    this.#isOwed ||= outcome === 'changed' || wasStale;
    this.#isStaleNotified = false;
    return outcome;
  }

  /** The service has the notification. */
  notified(): void {
    this.#isOwed = false;
  }

  /** The service could not take it; it is to be notified again soon. */
  notNotified(now: number): void {
    this.#notifyAt = now + RENOTIFY + this.#below(RENOTIFY);
  }

  /** What to do, if a stream may see it. `canAsk` is false while a call is not over yet. */
  wants(now: number, canAsk = true): Want {
    if (canAsk && this.#due <= now) return { kind: 'ask' };
    const staleAt = this.#staleAt();
    if (staleAt <= now) {
      this.#isOwed = true;
      this.#isStaleNotified = true;
    }
    if (this.#isOwed && this.#notifyAt <= now) return { kind: 'notify' };
    const times = [canAsk ? this.#due : Number.POSITIVE_INFINITY, staleAt];
    if (this.#isOwed) times.push(this.#notifyAt);
    return { kind: 'wait', at: Math.min(...times.filter((at) => at > now)) };
  }

  /** What there is to show. */
  view(now: number): View<V> {
    const known = this.#known && { data: this.#known.reading.value, age: Math.max(0, now - this.#known.at) };
    const stale = !known || known.age > this.#rules.maxStale;
    return { known, stale, failures: this.#failures, failure: this.#failure };
  }

  /** When the value becomes stale without a notification of that. */
  #staleAt(): number {
    if (!this.#known || this.#isStaleNotified) return Number.POSITIVE_INFINITY;
    return this.#known.at + this.#rules.maxStale + 1;
  }

  #take(now: number, answer: Answer<V>): PollFailure | Exclude<Outcome, 'failed'> {
    if (answer.kind === 'failed') return answer.failure;
    if (answer.kind === 'not-modified') {
      // There was nothing that it could refer to.
      if (!this.#known) return new PollFailure('status 304 to a request without a condition', { status: 304 });
      this.#known = { ...this.#known, at: now };
      return 'not-modified';
    }
    const { reading, validators } = answer;
    let isSame = false;
    try {
      isSame = this.#reference !== undefined && this.#rules.isSame(this.#reference, reading);
    } catch (error) {
      return failureOf(error);
    }
    this.#known = { reading, validators, at: now };
    if (isSame) return 'unchanged';
    this.#reference = reading;
    return 'changed';
  }

  #fail(now: number, failure: PollFailure): void {
    this.#failure = failure;
    if (failure.retryAfter !== undefined) {
      const wait = Math.min(failure.retryAfter, MAX_AWAY);
      // What was sent away together should not come back together.
      this.#away = now + wait + this.#below(wait / 10 + 1);
    }
    this.#due = Math.max(now + this.#pause(), this.#away);
    this.#failures += 1;
  }

  /**
   * The pause after a failure: full jitter. Never sooner than planned, and the cap does not make a
   * slow rhythm faster.
   */
  #pause(): number {
    const { every } = this.#rules;
    const range = Math.min(2 * every * 2 ** Math.min(this.#failures, MAX_DOUBLINGS), Math.max(CAP, every));
    return every + this.#below(range - every + 1);
  }

  /** A whole number from 0 to below `limit`. */
  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
