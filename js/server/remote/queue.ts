// What waits for the server, and the requests that it becomes. Pure.
import { Debts, type Types } from './debts.js';

/** Updates in one request, at most. */
const MAX_BATCH = 1_000;
/** Bytes of one request, at most: below the 1 MiB that the server takes. */
const MAX_BODY = 900 * 1_024;

/** An update that was accepted. */
export interface Entry {
  /** Counts up; the order. */
  readonly number: number;
  readonly type: string;
  /** The update as the server takes it. */
  readonly json: string;
  readonly bytes: number;
  readonly resolve?: ((id: string) => void) | undefined;
  readonly reject?: ((error: unknown) => void) | undefined;
}

/** A request: updates in their order, or an announcement. */
export interface Batch {
  /** The idempotency key: a repetition has the same key and the same bytes. */
  readonly key: string;
  readonly body: string;
  /** The updates; none in an announcement. */
  readonly entries: readonly Entry[];
  /** The types that are announced; `null` for all; `undefined` if it publishes updates. */
  readonly resync?: Types | undefined;
  /** It announces by updates without data, for a server that does not know announcements. */
  readonly isSubstitute?: boolean | undefined;
}

/** The queue. One batch is on its way at a time. */
export class PublishQueue {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #newKey: () => string;
  readonly #debts = new Debts();
  #entries: Entry[] = [];
  #bytes = 0;
  #batch: Batch | undefined;
  /** Entries up to this number are sent one by one: one of them was refused. */
  #alone = 0;

  constructor(maxCount: number, maxBytes: number, newKey: () => string) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
    this.#newKey = newKey;
  }

  /** True if there is nothing to send, and nothing on its way. */
  get isEmpty(): boolean {
    return this.#entries.length === 0 && this.#debts.isEmpty && this.#batch === undefined;
  }

  /** What waits, oldest first; also what is on its way. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** What is not announced yet; also what is on its way. */
  get debts(): Types {
    const all = new Debts();
    if (this.#batch?.resync !== undefined) all.addAll(this.#batch.resync);
    all.addAll(this.#debts.types);
    return all.types;
  }

  /** The batch that is on its way. */
  get batch(): Batch | undefined {
    return this.#batch;
  }

  /** Takes an update. Returns false if there is no space for it. */
  add(entry: Entry): boolean {
    if (this.#entries.length >= this.#maxCount || this.#bytes + entry.bytes > this.#maxBytes) return false;
    this.addRestored(entry);
    return true;
  }

  /** Takes an update that was accepted before: the bounds may have been others. */
  addRestored(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  /**
   * Notes that an update of this type was lost; `null` that any may have been. Returns false if
   * that is known, and not on its way to the server.
   */
  owe(type: string | null): boolean {
    return this.#debts.add(type);
  }

  /** Continues with a batch that another process began: entries up to `last`, under its key. */
  resume(key: string, last: number): void {
    const entries = this.#entries.filter(({ number }) => number <= last);
    if (entries.length > 0) this.#batch = { key, body: bodyOf(entries), entries };
  }

  /** Returns what to send: the same batch until it is settled. */
  next(): Batch | undefined {
    this.#batch ??= this.#announcement() ?? this.#updates();
    return this.#batch;
  }

  /** The batch on its way is settled: it waits no more. */
  done(): void {
    if (this.#batch) this.#drop(this.#batch.entries.length);
    this.#batch = undefined;
  }

  /** The batch on its way was refused for good: its updates are sent one by one from now on. */
  separate(): void {
    this.#alone = this.#batch?.entries.at(-1)?.number ?? 0;
    this.#batch = undefined;
  }

  /** The key of the batch on its way belongs to something else: the batch gets another one. */
  rename(): void {
    if (this.#batch) this.#batch = { ...this.#batch, key: this.#newKey() };
  }

  /** Announces these types by updates without data, instead of the batch on its way. */
  substitute(types: readonly string[]): void {
    if (!this.#batch) return;
    const body = JSON.stringify(types.map((type) => ({ type })));
    this.#batch = { ...this.#batch, key: this.#newKey(), body, isSubstitute: true };
  }

  /** Takes everything out. Returns the updates, and what was not announced. */
  clear(): { readonly entries: readonly Entry[]; readonly debts: Types } {
    const { entries, debts } = this;
    this.#entries = [];
    this.#bytes = 0;
    this.#batch = undefined;
    this.#debts.take();
    return { entries, debts };
  }

  #announcement(): Batch | undefined {
    if (this.#debts.isEmpty) return undefined;
    // What is owed from here on is announced once more.
    const resync = this.#debts.take();
    return { key: this.#newKey(), body: JSON.stringify({ resync }), entries: [], resync };
  }

  #updates(): Batch | undefined {
    const [first] = this.#entries;
    if (!first) return undefined;
    let [count, bytes] = [1, first.bytes];
    while (count < MAX_BATCH && first.number > this.#alone) {
      const entry = this.#entries[count];
      if (!entry || bytes + entry.bytes + 1 > MAX_BODY) break;
      bytes += entry.bytes + 1;
      count += 1;
    }
    const entries = this.#entries.slice(0, count);
    return { key: this.#newKey(), body: bodyOf(entries), entries };
  }

  #drop(count: number): void {
    for (const { bytes } of this.#entries.splice(0, count)) this.#bytes -= bytes;
  }
}

function bodyOf(entries: readonly Entry[]): string {
  return `[${entries.map(({ json }) => json).join(',')}]`;
}
