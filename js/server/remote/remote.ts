// The service that publishes to a `tinysse-server`: it accepts, keeps, and settles updates.
import type { Updates, UpdateType } from '../../model/update.js';
import { HubError } from '../errors.js';
import type { AnyUpdate, Audience, CloseOptions, NotifyOptions, UpdateService } from '../types.js';
import { jsonOfUpdate } from './check-update.js';
import { type RemoteClock, runtimeClock } from './clock.js';
import { type FileSystem, runtimeFiles } from './files.js';
import { Journal } from './journal.js';
import type { Restored } from './journal-lines.js';
import type { CheckedRemote } from './options.js';
import { type Batch, type Entry, PublishQueue } from './queue.js';
import { Reports } from './reports.js';
import { Sender, type Settled, type Unsettled } from './sender.js';

const DRAIN = 5_000;
/** Types that are remembered, for a server that can't announce that everything may be lost. */
const MAX_TYPES = 256;

const utf8 = new TextEncoder();

/** What tests replace. */
export interface RemoteRuntime {
  readonly clock?: RemoteClock;
  readonly files?: FileSystem;
}

/** A publisher. */
export class Remote<U = Updates> implements UpdateService<U> {
  readonly #url: string;
  readonly #reports: Reports;
  readonly #queue: PublishQueue;
  readonly #sender: Sender;
  readonly #clock: RemoteClock;
  readonly #journal: Journal | undefined;
  readonly #listeners = new Set<(update: AnyUpdate<U>) => void>();
  readonly #closed = new AbortController();
  /** Types that were published. */
  readonly #types = new Set<string>();
  /** The last number that was given. */
  #number = 0;
  /** The key of the batch that the journal has. */
  #noted: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: CheckedRemote, { clock = runtimeClock, files }: RemoteRuntime = {}) {
    this.#url = options.url;
    this.#clock = clock;
    this.#reports = new Reports(options.onError);
    this.#queue = new PublishQueue(options.maxCount, options.maxBytes, () => crypto.randomUUID());
    const outbox = {
      next: () => this.#queue.next(),
      onSend: (batch: Batch) => this.#sending(batch),
      onSettled: (batch: Batch, outcome: Settled) => this.#settled(batch, outcome),
      onUnsettled: (outcome: Unsettled) => this.#unsettled(outcome),
    };
    this.#sender = new Sender(options, outbox, clock);
    if (options.file === undefined) return;
    const owner = { state: () => this.#state(), onError: (error: HubError) => this.#reports.report(error) };
    const [journal, restored] = Journal.open(options.file, owner, files ?? runtimeFiles(), clock);
    this.#journal = journal;
    this.#restore(restored);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  notify<T extends UpdateType<U>>(type: T, options: NotifyOptions<U[T]> = {}): void {
    try {
      const overflow = this.#accept(type, options);
      if (overflow) this.#reports.enter('queue', overflow);
    } catch (error) {
      this.#reports.report(error);
    }
  }

  publish<T extends UpdateType<U>>(type: T, options: NotifyOptions<U[T]> = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const overflow = this.#accept(type, options, { resolve, reject });
      if (overflow) reject(overflow);
    });
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

  /** Returns an error if the queue has no space. Throws one if the update is wrong. */
  #accept(
    type: string,
    options: NotifyOptions,
    caller?: Required<Pick<Entry, 'resolve' | 'reject'>>,
  ): HubError | undefined {
    if (this.#closing) throw new HubError('closed', `${type} was not published: the publisher is closed`);
    const { json, bytes } = jsonOfUpdate(type, options);
    const entry: Entry = { number: this.#number + 1, type, json, bytes, ...caller };
    if (!this.#queue.add(entry)) {
      if (this.#queue.owe(type)) this.#journal?.owed(type);
      this.#sender.start();
      const detail = `${type} is not sent: too much waits for ${this.#url}. Its type is announced instead`;
      return new HubError('queue_full', detail, { status: 503 });
    }
    this.#number = entry.number;
    this.#remember(type);
    this.#journal?.accepted(entry.number, type, json);
    this.#sender.start();
    return undefined;
  }

  #remember(type: string): void {
    if (this.#types.size < MAX_TYPES) this.#types.add(type);
  }

  #restore({ entries, debts, batch, last }: Restored): void {
    this.#number = last;
    for (const { number, type, json } of entries) {
      this.#remember(type);
      this.#queue.addRestored({ number, type, json, bytes: utf8.encode(json).length });
    }
    for (const type of debts ?? [null]) this.#queue.owe(type);
    if (batch) {
      this.#queue.resume(batch.key, batch.last);
      this.#noted = batch.key;
    }
    if (!this.#queue.isEmpty) this.#sender.start();
  }

  /** What the journal has to have now. */
  #state(): Restored {
    const { entries, debts, batch } = this.#queue;
    const last = batch?.entries.at(-1)?.number;
    return {
      entries,
      debts,
      last: this.#number,
      batch: batch && last !== undefined ? { key: batch.key, last } : undefined,
    };
  }

  #sending(batch: Batch): void {
    const last = batch.entries.at(-1)?.number;
    if (last === undefined || batch.key === this.#noted) return;
    this.#noted = batch.key;
    this.#journal?.sending(batch.key, last);
  }

  #unsettled({ kind, why }: Unsettled): void {
    const detail =
      kind === 'later'
        ? `${this.#url} takes no updates (${why}); they wait and are sent again`
        : `${this.#url} refuses this publisher (${why}); updates wait until that is repaired`;
    this.#reports.enter('server', new HubError(kind === 'later' ? 'unreachable' : 'unauthorized', detail));
  }

  #settled(batch: Batch, outcome: Settled): void {
    this.#reports.leave('server');
    if (outcome.kind === 'rejected') this.#rejected(batch, outcome);
    else if (batch.resync !== undefined) this.#announced(batch);
    else this.#published(batch, outcome.ids);
  }

  #published({ entries }: Batch, ids: readonly string[]): void {
    this.#queue.done();
    this.#journal?.done(entries.at(-1)?.number ?? 0);
    if (this.#queue.isEmpty) this.#reports.leave('queue');
    for (const [at, entry] of entries.entries()) {
      const id = ids[at] ?? '';
      entry.resolve?.(id);
      this.#deliver(entry, id);
    }
  }

  #announced({ isSubstitute = false }: Batch): void {
    if (!isSubstitute) this.#reports.leave('announcement');
    this.#queue.done();
    this.#journal?.announced(this.#queue.debts);
    if (this.#queue.isEmpty) this.#reports.leave('queue');
  }

  #rejected(batch: Batch, { status, code, why }: Extract<Settled, { kind: 'rejected' }>): void {
    // The key, which is random, belongs to another request: this one was not published.
    if (code === 'idempotency_mismatch') this.#queue.rename();
    else if (batch.resync !== undefined) this.#unannounced(batch, why);
    else if (batch.entries.length > 1) this.#queue.separate();
    else this.#culprit(batch, status, why);
  }

  #culprit({ entries: [entry] }: Batch, status: number, why: string): void {
    this.#queue.done();
    if (!entry) return;
    this.#journal?.done(entry.number);
    const error = new HubError('rejected', `${entry.type} was refused by ${this.#url}: ${why}`, { status });
    if (entry.reject) entry.reject(error);
    else this.#reports.report(error);
  }

  /** The server is too old to announce a loss: the types are published instead. */
  #unannounced(batch: Batch, why: string): void {
    const types = batch.resync ?? [...this.#types];
    if (batch.isSubstitute || types.length === 0) {
      const detail = `${this.#url} refused to announce lost updates (${why}); clients are not notified of them`;
      this.#reports.report(new HubError('rejected', detail));
      this.#announced({ ...batch, isSubstitute: true });
      return;
    }
    const which = batch.resync ? 'their types are' : `of all types, the ${types.length} that are known are`;
    const detail = `${this.#url} can't announce lost updates (${why}); ${which} published instead. Update tinysse-server`;
    this.#reports.enter('announcement', new HubError('rejected', detail));
    this.#queue.substitute(types);
  }

  #deliver({ type, json }: Entry, id: string): void {
    if (this.#listeners.size === 0) return;
    const { data, key, to = ['all'], origin } = JSON.parse(json);
    const update = { type, data, key, to, origin, id, at: this.#clock.now() } as unknown as AnyUpdate<U>;
    for (const listener of [...this.#listeners]) {
      try {
        listener(update);
      } catch (error) {
        this.#reports.report(new HubError('listener', String(error), { cause: error }));
      }
    }
  }

  async #close(drain: number): Promise<void> {
    this.#closed.abort();
    await this.#sender.drain(drain);
    await this.#sender.stop();
    const { entries, debts } = this.#queue.clear();
    this.#journal?.close();
    const fate = this.#journal ? 'the next start sends them' : 'they are lost';
    const error = new HubError('closed', `the publisher was closed before ${this.#url} had this update; ${fate}`);
    for (const entry of entries) entry.reject?.(error);
    const owed = debts?.length ?? 1;
    if (entries.length + owed === 0) return;
    const announcements = owed > 0 ? `, and ${owed} announcements of lost updates` : '';
    const detail = `${entries.length} updates${announcements} were not sent in time; ${fate}`;
    this.#reports.report(new HubError('closed', detail));
  }
}
