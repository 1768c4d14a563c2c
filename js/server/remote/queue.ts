// What waits for the server, and what it has to be asked to announce. Pure.

/** Updates in one request, at most. */
const MAX_BATCH = 1_000;
/** Bytes of one request, at most: below the 1 MiB that the server takes. */
const MAX_BODY = 900 * 1_024;
/** Types that are owed one by one; past that everything is. */
const MAX_DEBTS = 256;

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
  readonly entries: readonly Entry[];
  /** The types that are announced; `null` for all; `undefined` if it publishes updates. */
  readonly resync?: readonly string[] | null | undefined;
}

/** The queue. One batch is on its way at a time. */
export class PublishQueue {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #newKey: () => string;
  #entries: Entry[] = [];
  #bytes = 0;
  #debts = new Set<string>();
  #owesEverything = false;
  #batch: Batch | undefined;
  /** Entries up to this number are sent one by one: one of them was refused. */
  #alone = 0;

  constructor(maxCount: number, maxBytes: number, newKey: () => string) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
    this.#newKey = newKey;
  }

  /** The number of updates that wait. */
  get count(): number {
    return this.#entries.length;
  }

  /** True if there is nothing to send. */
  get isEmpty(): boolean {
    return this.#entries.length === 0 && this.#debts.size === 0 && !this.#owesEverything;
  }

  /** What waits, oldest first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** What has to be announced: types, or `null` for everything. */
  get debts(): readonly string[] | null {
    return this.#owesEverything ? null : [...this.#debts];
  }

  /** Takes an update. Returns false if there is no space for it. */
  add(entry: Entry): boolean {
    if (this.#entries.length >= this.#maxCount || this.#bytes + entry.bytes > this.#maxBytes) return false;
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    return true;
  }

  /** Notes that an update of this type was lost; `null` that any may have been. */
  owe(type: string | null): void {
    if (type === null || (this.#debts.size >= MAX_DEBTS && !this.#debts.has(type))) this.#owesEverything = true;
    else this.#debts.add(type);
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

  /** The batch was published: it waits no more. */
  done(batch: Batch): void {
    if (this.#batch === batch) this.#batch = undefined;
    if (batch.resync === undefined) this.#drop(batch.entries.length);
  }

  /** A batch of several was refused for good: its updates are sent one by one from now on. */
  separate(batch: Batch): void {
    this.#batch = undefined;
    this.#alone = batch.entries.at(-1)?.number ?? 0;
  }

  /** The key belongs to something else: the batch gets another one. */
  rename(batch: Batch): Batch {
    this.#batch = { ...batch, key: this.#newKey() };
    return this.#batch;
  }

  /** Takes everything out. Returns the updates. */
  clear(): readonly Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    this.#batch = undefined;
    return entries;
  }

  #announcement(): Batch | undefined {
    if (this.#debts.size === 0 && !this.#owesEverything) return undefined;
    const resync = this.debts;
    // What is owed from here on is announced once more.
    this.#debts = new Set();
    this.#owesEverything = false;
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
