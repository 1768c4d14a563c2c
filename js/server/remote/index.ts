// A publisher to a `tinysse-server`: the same service as a hub in this process, over HTTP.
import type { Updates, UpdateType } from '../../model/update.js';
import { HubError } from '../errors.js';
import type { AnyUpdate, Audience, CloseOptions, NotifyOptions, UpdateService } from '../types.js';
import { jsonOfUpdate } from './check-update.js';
import { Journal, type Restored } from './journal.js';
import { type CheckedRemote, checkRemote, type RemoteOptions } from './options.js';
import { type Batch, type Entry, PublishQueue } from './queue.js';
import { type Outcome, send } from './send.js';

export type { RemoteOptions } from './options.js';

const DRAIN = 5_000;
/**
 * Pauses between attempts, in milliseconds: full jitter up to twice as long each time. Pages are to be
 * fresh within a second of the server's return, and one publisher is no storm.
 */
const [FLOOR, BASE, CAP] = [100, 200, 800];
/** The pause where an operator has to repair something. */
const REFUSED = 5_000;
/** Types that a server which can't announce a loss is sent instead. */
const MAX_TYPES = 256;

/**
 * Makes an {@link UpdateService} that publishes to a `tinysse-server`.
 *
 * ```ts
 * const updateService = createRemote<{ projects: undefined }>({ url: 'http://127.0.0.1:8080', key });
 * updateService.notify('projects'); // never throws, never waits
 * ```
 *
 * - Updates arrive in their order, at most once, and are repeated until the server has them. One
 *   request is on its way at a time; what waits meanwhile is sent together. The server remembers
 *   requests for five minutes: one whose answer was lost and that is repeated later than that may
 *   arrive twice.
 * - What the queue has no space for is not sent. Its type is announced to every client as soon as the
 *   server answers, so that they refetch it.
 * - With `queue.file` a kill of this process loses nothing that was accepted. Without it, what waits
 *   ends with the process.
 * - Listeners of `subscribe` receive what this process published, once the server has it. `watch`
 *   always reports `true`: who looks is known to the server alone.
 * - Nothing that waits keeps the process alive; {@link UpdateService.close} does, for its time.
 *
 * Throws a {@link HubError} with the code `options`, whose `option` is the name of what is wrong.
 */
export function createRemote<U = Updates>(options: RemoteOptions): UpdateService<U> {
  return new Remote<U>(checkRemote(options));
}

const utf8 = new TextEncoder();
const bytesOf = (text: string) => utf8.encode(text).length;

class Remote<U> implements UpdateService<U> {
  readonly #options: CheckedRemote;
  readonly #queue: PublishQueue;
  readonly #journal: Journal | undefined;
  readonly #listeners = new Set<(update: AnyUpdate<U>) => void>();
  readonly #closed = new AbortController();
  readonly #abort = new AbortController();
  /** Types that were published, for a server that can't announce. */
  readonly #types = new Set<string>();
  #number = 0;
  #failures = 0;
  #running = false;
  #closing: Promise<void> | undefined;
  /** What was reported last: a state is reported once. */
  #state = '';
  #wake: (() => void) | undefined;
  #emptied: (() => void) | undefined;

  constructor(options: CheckedRemote) {
    this.#options = options;
    this.#queue = new PublishQueue(options.maxCount, options.maxBytes, () => crypto.randomUUID());
    if (options.file === undefined) return;
    const { journal, restored } = Journal.open(options.file, (error) => this.#report(error));
    this.#journal = journal;
    this.#restore(restored);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  notify<T extends UpdateType<U>>(type: T, options: NotifyOptions<U[T]> = {}): void {
    try {
      this.#accept(type, options);
    } catch (error) {
      this.#report(error);
    }
  }

  publish<T extends UpdateType<U>>(type: T, options: NotifyOptions<U[T]> = {}): Promise<string> {
    return new Promise((resolve, reject) => this.#accept(type, options, { resolve, reject }));
  }

  subscribe(listener: (update: AnyUpdate<U>) => void): () => void {
    const own = (update: AnyUpdate<U>) => listener(update);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  watch(_type: UpdateType<U>, _to: readonly Audience[], listener: (seen: boolean) => void): () => void {
    listener(true);
    return () => {};
  }

  close({ drain = DRAIN }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(drain);
    return this.#closing;
  }

  #accept(type: string, options: NotifyOptions, caller?: Pick<Entry, 'resolve' | 'reject'>): void {
    if (this.#closing) throw new HubError('closed', `${type} was not published: the publisher is closed`);
    const json = jsonOfUpdate(type, options);
    const entry: Entry = { number: this.#number + 1, type, json, bytes: bytesOf(json), ...caller };
    if (!this.#queue.add(entry)) {
      this.#owe(type);
      const detail = `${type} is not sent: too much waits for the server. The type is announced once it answers`;
      throw new HubError('queue_full', detail, { status: 503 });
    }
    this.#number = entry.number;
    this.#note(type);
    this.#journal?.accepted(entry.number, type, json);
    this.#start();
  }

  #owe(type: string | null): void {
    this.#queue.owe(type);
    this.#journal?.owed(type);
    this.#start();
  }

  #note(type: string): void {
    if (this.#types.size < MAX_TYPES) this.#types.add(type);
  }

  #restore({ entries, debts, batch, last }: Restored): void {
    this.#number = last;
    for (const { number, type, json } of entries) {
      this.#note(type);
      // More than the queue may hold, if its bounds were lowered since.
      if (!this.#queue.add({ number, type, json, bytes: bytesOf(json) })) this.#queue.owe(type);
    }
    for (const type of debts ?? [null]) this.#queue.owe(type);
    if (batch) this.#queue.resume(batch.key, batch.last);
    this.#start();
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
      if (!this.#queue.isEmpty && !this.#abort.signal.aborted) this.#start();
      else this.#emptied?.();
    });
  }

  async #run(): Promise<void> {
    for (let batch = this.#queue.next(); batch && !this.#abort.signal.aborted; batch = this.#queue.next()) {
      const last = batch.entries.at(-1)?.number;
      if (last !== undefined && this.#failures === 0) this.#journal?.sending(batch.key, last);
      const outcome = await send(this.#options, batch, this.#abort.signal);
      if (this.#abort.signal.aborted && outcome.kind === 'later') return;
      await this.#settle(batch, outcome);
    }
  }

  async #settle(batch: Batch, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'published':
        this.#works();
        this.#done(batch, outcome.ids);
        return;
      case 'rejected':
        this.#works();
        this.#rejected(batch, outcome);
        return;
      case 'later':
        this.#fails(
          'unreachable',
          `${this.#options.url} takes no updates (${outcome.why}); they wait and are sent again`,
        );
        await this.#pause(outcome.retryAfter);
        return;
      case 'refused':
        this.#fails(
          'unauthorized',
          `${this.#options.url} refuses this publisher (${outcome.why}); updates wait until that is repaired`,
        );
        await this.#pause(REFUSED);
    }
  }

  #done(batch: Batch, ids: readonly string[]): void {
    this.#queue.done(batch);
    if (batch.resync !== undefined) {
      this.#journal?.announced();
      for (const type of this.#queue.debts ?? [null]) this.#journal?.owed(type);
      return;
    }
    const last = batch.entries.at(-1)?.number ?? 0;
    this.#journal?.done(last, () => this.#snapshot());
    for (const [at, entry] of batch.entries.entries()) {
      const id = ids[at] ?? '';
      entry.resolve?.(id);
      this.#deliver(entry, id);
    }
  }

  #rejected(batch: Batch, { status, code, why }: Extract<Outcome, { kind: 'rejected' }>): void {
    if (code === 'idempotency_mismatch') {
      // Another publisher used the key, which is random: the request was not published.
      this.#queue.rename(batch);
      return;
    }
    if (batch.resync !== undefined) {
      this.#withoutResync(batch);
      return;
    }
    if (batch.entries.length > 1) {
      this.#queue.separate(batch);
      return;
    }
    const [entry] = batch.entries;
    this.#queue.done(batch);
    if (!entry) return;
    this.#journal?.done(entry.number, () => this.#snapshot());
    const error = new HubError('rejected', `${entry.type} was refused by the server: ${why}`, { status });
    if (entry.reject) entry.reject(error);
    else this.#report(error);
  }

  /** The server is too old to announce a loss: the types are published instead. */
  #withoutResync(batch: Batch): void {
    this.#queue.done(batch);
    this.#journal?.announced();
    const detail = 'the server can not announce lost updates; their types are published instead. Update tinysse-server';
    this.#report(new HubError('rejected', detail));
    for (const type of batch.resync ?? this.#types) {
      const json = JSON.stringify({ type });
      this.#number += 1;
      if (this.#queue.add({ number: this.#number, type, json, bytes: bytesOf(json) })) {
        this.#journal?.accepted(this.#number, type, json);
      }
    }
  }

  #snapshot(): Restored {
    return { entries: this.#queue.entries, debts: this.#queue.debts, last: this.#number };
  }

  #deliver({ type, json }: Entry, id: string): void {
    if (this.#listeners.size === 0) return;
    const { data, key, to, origin } = JSON.parse(json);
    const update = { type, data, key, to: to ?? ['all'], origin, id, at: Date.now() } as unknown as AnyUpdate<U>;
    for (const listener of [...this.#listeners]) {
      try {
        listener(update);
      } catch (error) {
        this.#report(new HubError('listener', String(error), { cause: error }));
      }
    }
  }

  #works(): void {
    this.#failures = 0;
    this.#state = '';
  }

  #fails(state: 'unreachable' | 'unauthorized', detail: string): void {
    this.#failures += 1;
    if (this.#state === state) return;
    this.#state = state;
    this.#report(new HubError(state, detail));
  }

  /** Waits before the next attempt; at least as long as the server asked for. */
  #pause(least = 0): Promise<void> {
    const most = Math.min(CAP, BASE * 2 ** Math.min(this.#failures, 10));
    const ms = Math.max(least, FLOOR + Math.random() * (most - FLOOR));
    return new Promise((resolve) => {
      const timer: unknown = setTimeout(resolve, ms);
      // While the publisher closes, the process waits for it.
      if (!this.#closing) (timer as { unref?: () => void }).unref?.();
      this.#wake = () => {
        clearTimeout(timer as number);
        resolve();
      };
    });
  }

  async #close(drain: number): Promise<void> {
    this.#closed.abort();
    if (!this.#queue.isEmpty) {
      // At once, not after what is left of a pause.
      this.#wake?.();
      await this.#empty(drain);
    }
    this.#abort.abort();
    this.#wake?.();
    const left = this.#queue.clear();
    this.#journal?.close();
    const error = new HubError('closed', 'the publisher was closed before the server had this update');
    for (const entry of left) entry.reject?.(error);
    if (left.length === 0) return;
    const kept = this.#journal ? 'the next start sends them' : 'they are lost';
    this.#report(new HubError('closed', `${left.length} updates were not sent in time; ${kept}`));
  }

  /** Resolves when nothing waits, or after `ms` milliseconds. */
  #empty(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #report(error: unknown): void {
    try {
      this.#options.onError(
        error instanceof HubError ? error : new HubError('unexpected', String(error), { cause: error }),
      );
    } catch (thrown) {
      console.error(thrown);
    }
  }
}
