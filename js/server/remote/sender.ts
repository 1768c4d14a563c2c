// Sends one batch after the other, and each until it is settled.
import type { RemoteClock } from './clock.js';
import type { Batch } from './queue.js';
import { type Outcome, send, type Target } from './send.js';

/** An outcome behind which the same batch is sent again. */
export type Unsettled = Extract<Outcome, { kind: 'later' | 'refused' }>;
/** An outcome behind which it is not. */
export type Settled = Exclude<Outcome, Unsettled>;

/** What a sender works for. */
export interface Outbox {
  /** Returns what to send: the same batch until it is settled; `undefined` if there is nothing. */
  next(): Batch | undefined;
  /** Receives each batch right before it is sent. */
  onSend(batch: Batch): void;
  /** Receives that a batch is settled. Does not throw. */
  onSettled(batch: Batch, outcome: Settled): void;
  /** Receives that it is sent again. Does not throw. */
  onUnsettled(outcome: Unsettled): void;
}

/**
 * Pauses between attempts, in milliseconds: full jitter up to twice as long each time. Pages are to
 * be fresh within a second of the server's return, and one publisher is no storm.
 */
const [FLOOR, BASE, CAP] = [100, 200, 800];
/** The pause where an operator has to repair something. */
const REFUSED = 5_000;

/** Sends what an outbox has. */
export class Sender {
  readonly #target: Target;
  readonly #outbox: Outbox;
  readonly #clock: RemoteClock;
  readonly #stop = new AbortController();
  #failures = 0;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  /** While the publisher closes, the process waits for it. */
  #isDraining = false;

  constructor(target: Target, outbox: Outbox, clock: RemoteClock) {
    this.#target = target;
    this.#outbox = outbox;
    this.#clock = clock;
  }

  /** Sends what there is, behind the code that is running: what it adds is sent together. */
  start(): void {
    if (this.#stop.signal.aborted) return;
    this.#running ??= this.#run().then(() => {
      this.#running = undefined;
      if (this.#outbox.next()) this.start();
    });
  }

  /** Resolves when everything is sent, or after `ms` milliseconds. */
  drain(ms: number): Promise<void> {
    this.#isDraining = true;
    // At once, not after what is left of a pause.
    this.#wake?.();
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(ms, resolve, true);
      void this.#idle().then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Ends the request on its way. Resolves when nothing more is settled. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#idle();
  }

  async #idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    await Promise.resolve();
    for (let batch = this.#outbox.next(); batch && !signal.aborted; batch = this.#outbox.next()) {
      this.#outbox.onSend(batch);
      const outcome = await send(this.#target, batch, signal, this.#clock);
      if (outcome.kind === 'published' || outcome.kind === 'rejected') {
        this.#failures = 0;
        this.#outbox.onSettled(batch, outcome);
      } else if (!signal.aborted) {
        this.#failures += 1;
        this.#outbox.onUnsettled(outcome);
        await this.#pause(this.#pauseAfter(outcome));
      }
    }
  }

  #pauseAfter(outcome: Unsettled): number {
    if (outcome.kind === 'refused') return REFUSED;
    const most = Math.min(CAP, BASE * 2 ** Math.min(this.#failures, 10));
    const jitter = FLOOR + this.#clock.random() * (most - FLOOR);
    return outcome.retryAfter === undefined ? jitter : outcome.retryAfter + jitter;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(ms, resolve, this.#isDraining);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
