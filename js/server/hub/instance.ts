// The hub of one wasm instance, with typed calls instead of memory.
import { HubError } from '../errors.js';
import { copyBytes } from '../runtime.js';
import type { Audience } from '../types.js';
import { FieldReader, FieldWriter } from './fields.js';
import { type HubExports, instantiate } from './module.js';

/** The settings of a hub; all times in milliseconds. */
export interface HubSettings {
  maxCount: number;
  maxAge: number;
  maxBytes: number;
  heartbeat: number;
  retry: number;
  linger: number;
  /** Refetches a second that clients are asked to keep to; 0 asks nothing. */
  spread: number;
  slowLag: number;
  slowRules: readonly (readonly [pattern: string, rule: string])[];
  windows: readonly (readonly [pattern: string, ms: number])[];
  /** Streams are asked to reopen before they are this old; 0 never asks. */
  maxStreamAge: number;
  /** How long a connection may take no bytes. */
  stallTimeout: number;
  /** Updates get their places elsewhere. */
  external: boolean;
}

/** What a user may see. */
export interface Rights {
  readonly user: string;
  readonly role?: string | undefined;
  readonly channels?: readonly string[] | undefined;
  /** The types that may be seen, by name or pattern; all by default. */
  readonly types?: readonly string[] | undefined;
}

/** A request for a stream. */
export interface StreamAsk {
  readonly name: string;
  readonly rights: Rights;
  /** What was asked for, separated by commas. */
  readonly types: string | undefined;
  readonly cursor: string | undefined;
  readonly folded: boolean;
  readonly chunked: boolean;
  /** When it ends with its token, on the hub's clock; 0 for never. */
  readonly ends: number;
}

/** The fields of an update on its way into the log. */
export interface UpdateFields {
  readonly type: string;
  /** JSON. */
  readonly data?: string | undefined;
  readonly key?: string | undefined;
  readonly to?: readonly string[] | undefined;
  readonly origin?: string | undefined;
  readonly except?: string | undefined;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** What a publication that must happen once is known by: a key, and 64 bits of its content. */
export interface Receipt {
  readonly key: string;
  readonly fingerprint: readonly [number, number];
}

/** An update that the hub gives back. */
export interface LoggedFields extends UpdateFields {
  /** Absent if it is to be given its place elsewhere. */
  readonly id: string | undefined;
  readonly to: readonly Audience[];
}

/** What became of an update. */
export type Published = { readonly logged: string } | { readonly held: true } | { readonly passed: LoggedFields };

/** Bytes, and the streams that get them. */
export interface Group {
  readonly bytes: Uint8Array;
  /** The streams end behind the bytes. */
  readonly ends: boolean;
  readonly slots: Uint32Array;
}

/** What one round gives. */
export interface Round {
  readonly groups: readonly Group[];
  /** Streams whose connections are to be cut. */
  readonly cut: readonly number[];
  /** Other streams wait to be served. */
  readonly more: boolean;
}

/** What the hub has done so far, and what it has now. */
export interface HubCounts {
  streams: number;
  logCount: number;
  logBytes: number;
  coalesced: number;
  frames: number;
  replayed: number;
  hits: number;
  misses: number;
  skipped: number;
  beats: number;
  passedOver: number;
  waits: number;
  waitsMs: number;
  resyncs: Record<string, number>;
}

const REFUSED = -1;
const LOGGED = 0;
const HELD = 1;

/** A hub. Its calls throw a {@link HubError} for what is refused, and other errors for a defect. */
export class HubInstance {
  readonly #wasm: HubExports;
  readonly #writer = new FieldWriter();
  #memory = new Uint8Array(0);

  constructor(settings: HubSettings, epoch: readonly [number, number], seed: readonly [number, number]) {
    this.#wasm = instantiate();
    const fields = this.#writer.begin();
    for (const half of [...epoch, ...seed]) fields.number(half);
    fields.number(settings.maxCount).number(settings.maxAge).number(settings.maxBytes);
    fields.number(settings.heartbeat).number(settings.retry).number(settings.linger);
    fields.number(settings.spread).number(settings.slowLag);
    fields.list(settings.slowRules, ([pattern, rule]) => fields.text(pattern).text(rule));
    fields.list(settings.windows, ([pattern, ms]) => fields.text(pattern).number(ms));
    fields
      .number(settings.maxStreamAge)
      .number(settings.stallTimeout)
      .number(settings.external ? 1 : 0);
    this.#pass();
    this.#answer(this.#wasm.create());
  }

  /** Opens a stream. Returns its slot. */
  connect(now: number, ask: StreamAsk): number {
    const fields = this.#writer.begin().text(ask.name);
    this.#rights(ask.rights);
    fields.text(ask.types).text(ask.cursor);
    fields
      .number(ask.folded ? 1 : 0)
      .number(ask.chunked ? 1 : 0)
      .number(ask.ends);
    this.#pass();
    return this.#answer(this.#wasm.connect(now));
  }

  /** Checks the types that a stream asks for. */
  checkTypes(types: string): void {
    this.#writer.begin().text(types);
    this.#pass();
    this.#answer(this.#wasm.types());
  }

  disconnect(slot: number): void {
    this.#wasm.disconnect(slot);
  }

  /** Replaces the rights of a stream. Returns true if they are other ones. */
  setRights(slot: number, rights: Rights): boolean {
    this.#writer.begin();
    this.#rights(rights);
    this.#pass();
    return this.#answer(this.#wasm.rights(slot)) > 0;
  }

  /** Notes that a connection takes no bytes. */
  full(now: number, slot: number): void {
    this.#wasm.full(now, slot);
  }

  /** Notes that a connection takes bytes again. */
  drained(slot: number): void {
    this.#wasm.drained(slot);
  }

  /** Publishes an update, unless its window holds it. */
  publish(now: number, update: UpdateFields): Published {
    this.#writer.begin();
    this.#update(update);
    this.#pass();
    const outcome = this.#answer(this.#wasm.publish(now));
    if (outcome === LOGGED) return { logged: this.#output() };
    return outcome === HELD ? { held: true } : { passed: readUpdate(this.#reader()) };
  }

  /** Publishes several updates, all or none, once for each receipt. Returns their ids. */
  publishAll(now: number, unixMs: number, updates: readonly UpdateFields[], receipt?: Receipt): string[] {
    const fields = this.#writer.begin().text(receipt?.key);
    if (receipt) fields.number(receipt.fingerprint[0]).number(receipt.fingerprint[1]);
    fields.list(updates, (update) => this.#update(update));
    this.#pass();
    const count = this.#answer(this.#wasm.publish_all(now, unixMs));
    return consecutive(this.#output(), count);
  }

  /**
   * Announces to every client that anything may have been lost, once for each receipt. Returns its
   * id.
   */
  announceEverything(now: number, unixMs: number, receipt?: Receipt): string {
    if (receipt) {
      // To publish nothing notes the receipt. The place that it returns is the next one, unless the
      // receipt is known.
      this.publishAll(now, unixMs, [], receipt);
      const id = this.#output();
      if (seqOf(id) <= seqOf(this.cursor())) return id;
    }
    this.#wasm.announce_everything();
    return this.#output();
  }

  /** Takes an update that was given its place elsewhere. */
  deliver(logged: number, id: string, update: UpdateFields): void {
    this.#writer.begin().text(id);
    this.#update(update);
    this.#pass();
    this.#answer(this.#wasm.deliver(logged));
  }

  /** Begins another log, behind an id. */
  begin(after: string): void {
    this.#writer.begin().text(after);
    this.#pass();
    this.#answer(this.#wasm.begin());
  }

  /** Ends the windows that are over, or all. Returns what they held. */
  flush(now: number, all = false): LoggedFields[] {
    const count = this.#wasm.flush(now, all ? 1 : 0);
    if (count === 0) return [];
    const reader = this.#reader();
    return Array.from({ length: count }, () => readUpdate(reader));
  }

  /** Ends a stream with a bye. Returns false if there is no such stream. */
  bye(slot: number, reason: string, wait = 0, retry = -1): boolean {
    this.#writer.begin().text(reason);
    this.#pass();
    return this.#answer(this.#wasm.bye(slot, wait, retry)) > 0;
  }

  /** Returns the body for a client that is sent away for `wait` milliseconds. */
  goodbye(wait: number): string {
    this.#wasm.goodbye(wait);
    return this.#output();
  }

  /** Serves the streams that have something to get. */
  round(now: number): Round {
    const report = this.#wasm.round(now);
    const memory = this.#bytes();
    const words = new Uint32Array(memory.buffer, report);
    const [count, cuts, more] = words as unknown as [number, number, number];
    const groups: Group[] = [];
    let at = 3;
    for (let left = count; left > 0; left--) {
      const [address, length, ends, slots] = words.subarray(at, at + 4) as unknown as [number, number, number, number];
      at += 4;
      const bytes = copyBytes(memory.subarray(address, address + length));
      groups.push({ bytes, ends: ends > 0, slots: words.slice(at, at + slots) });
      at += slots;
    }
    return { groups, cut: [...words.subarray(at, at + cuts)], more: more > 0 };
  }

  /** When a round is due though nothing happens, on the hub's clock; infinity for never. */
  next(): number {
    return this.#wasm.next();
  }

  /** Counts the streams that may see a type and audiences. Returns the number of the count. */
  watch(type: string, to: readonly string[]): number {
    this.#writer
      .begin()
      .text(type)
      .texts(to.length > 0 ? to : undefined);
    this.#pass();
    return this.#answer(this.#wasm.watch());
  }

  watchers(number: number): number {
    return this.#wasm.watchers(number);
  }

  /** The head of the log. */
  cursor(): string {
    this.#wasm.cursor();
    return this.#output();
  }

  /** A number below `limit`, another one each time. */
  jitter(limit: number): number {
    return this.#wasm.jitter(limit);
  }

  counts(): HubCounts {
    this.#wasm.counts();
    const reader = this.#reader();
    const names = ['streams', 'logCount', 'logBytes', 'coalesced', 'frames', 'replayed', 'hits', 'misses'] as const;
    const more = ['skipped', 'beats', 'passedOver', 'waits', 'waitsMs'] as const;
    const counts = { resyncs: {} } as HubCounts;
    for (const name of [...names, ...more]) counts[name] = reader.number();
    while (!reader.done) counts.resyncs[reader.text() ?? ''] = reader.number();
    return counts;
  }

  /** The slots of all open streams. */
  slots(): number[] {
    const count = this.#wasm.slots();
    const view = this.#outputBytes();
    const words = new DataView(view.buffer, view.byteOffset);
    return Array.from({ length: count }, (_, at) => words.getUint32(at * 4, true));
  }

  /** What the module wrote last: behind a trap, the message of the defect. */
  lastWords(): string {
    return this.#output();
  }

  #rights({ user, role, channels, types }: Rights): void {
    this.#writer
      .text(user)
      .text(role ?? '')
      .texts(channels ?? [])
      .texts(types);
  }

  #update({ type, data, key, to, origin, except, at }: UpdateFields): void {
    this.#writer.text(type).text(data).text(key).texts(to).text(origin).text(except).number(at);
  }

  #pass(): void {
    const bytes = this.#writer.bytes();
    const address = this.#wasm.input(bytes.length);
    this.#bytes().set(bytes, address);
  }

  #answer(number: number): number {
    if (number >= 0) return number;
    if (number !== REFUSED) throw new TypeError('the hub and its caller disagree about arguments');
    const [code = '', detail = ''] = this.#output().split('\n');
    throw new HubError(code, detail, { status: code === 'update_too_large' ? 413 : statusOf(code) });
  }

  #output(): string {
    return decoder.decode(this.#outputBytes());
  }

  #reader(): FieldReader {
    return new FieldReader(this.#outputBytes());
  }

  #outputBytes(): Uint8Array {
    const address = this.#wasm.output();
    return this.#bytes().subarray(address, address + this.#wasm.output_length());
  }

  /** The memory, which is another object after it grew. */
  #bytes(): Uint8Array {
    if (this.#memory.length === 0) this.#memory = new Uint8Array(this.#wasm.memory.buffer);
    return this.#memory;
  }
}

const decoder = new TextDecoder();

function statusOf(code: string): number {
  return code === 'idempotency_mismatch' ? 422 : 400;
}

function readUpdate(reader: FieldReader): LoggedFields {
  const [id, type, data, key] = [reader.text(), reader.text() ?? '', reader.text(), reader.text()];
  const [to, origin, except, at] = [reader.texts(), reader.text(), reader.text(), reader.number()];
  return { id, type, data, key, to: (to.length > 0 ? to : ['all']) as Audience[], origin, except, at };
}

/** The ids of `count` updates behind one another, from the first one on. */
function consecutive(first: string, count: number): string[] {
  const [epoch] = first.split('.');
  const from = seqOf(first);
  return Array.from({ length: count }, (_, at) => `${epoch}.${from + BigInt(at)}`);
}

function seqOf(id: string): bigint {
  return BigInt(id.split('.')[1] ?? 0);
}
