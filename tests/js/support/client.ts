// A client whose connection is driven by the test.
import { idle } from '../../../js/client/snapshot.js';
import type { Client, SubscribeOptions, Unsubscribe } from '../../../js/model/client.js';
import { countersOf } from '../../../js/model/counters.js';
import { matches, patterns } from '../../../js/model/patterns.js';
import type { Gap, Resync, Snapshot } from '../../../js/model/snapshot.js';
import type { ClientStats } from '../../../js/model/stats.js';
import type { Update } from '../../../js/model/update.js';
import { inspect } from '../../../js/plugins/stats.js';

type Loose = Record<string, unknown>;

/**
 * A client whose connection is the test: it reports what the wasm would. Only for what needs no
 * connection.
 */
export class HandClient implements Client<Loose> {
  readonly origin = 'this-tab';
  held = 0;
  readonly #updates = new Set<{ types: string[]; fn: (update: never) => void }>();
  readonly #statuses = new Set<(snapshot: Snapshot) => void>();
  readonly #resyncs = new Set<(resync: Resync) => void>();
  readonly #users = new Set<(user: string | null) => void>();
  #closing = new AbortController();
  #snapshot = idle;
  /** `undefined` until it is set. */
  user: string | null | undefined;

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get listeners(): number {
    return this.#updates.size + this.#statuses.size + this.#resyncs.size;
  }

  update(type: string, more: Partial<Update> = {}): void {
    const update = { type, data: undefined, id: '1.1', replayed: false, ...more };
    for (const entry of [...this.#updates]) if (matches(entry.types, type)) entry.fn(update as never);
  }

  resync(gap: Gap, types: string[] | null = null): void {
    for (const fn of [...this.#resyncs]) fn({ gap, types });
  }

  show(over: Partial<Snapshot>): void {
    this.#snapshot = Object.freeze({ ...this.#snapshot, ...over });
    for (const fn of [...this.#statuses]) fn(this.#snapshot);
  }

  subscribe(types: string | readonly string[], fn: (update: never) => void, until?: SubscribeOptions): Unsubscribe {
    return this.#begin(this.#updates, { types: patterns(types), fn }, until);
  }

  onStatus(fn: (snapshot: Snapshot) => void, until?: SubscribeOptions): Unsubscribe {
    return this.#begin(this.#statuses, fn, until);
  }

  onResync(fn: (resync: Resync) => void, until?: SubscribeOptions): Unsubscribe {
    return this.#begin(this.#resyncs, fn, until);
  }

  onError(): Unsubscribe {
    return offOf(() => {});
  }

  onUser(fn: (user: string | null) => void, until?: SubscribeOptions): Unsubscribe {
    return this.#begin(this.#users, fn, until);
  }

  getSnapshot(): Snapshot {
    return this.#snapshot;
  }

  async stats(): Promise<ClientStats> {
    return inspect(this, undefined, [], countersOf(this));
  }

  setUser(id: string | null): void {
    if (id === this.user) return;
    this.user = id;
    for (const fn of [...this.#users]) fn(id);
  }

  acquire(until?: SubscribeOptions): Unsubscribe {
    this.#renew();
    this.held += 1;
    const { signal } = this;
    const off = offOf(() => {
      if (!signal.aborted) this.held -= 1;
    });
    until?.signal?.addEventListener('abort', off, { once: true });
    return off;
  }

  pause(): void {}
  resume(): void {}
  reconnect(): void {}
  async forget(): Promise<void> {}

  close(): void {
    for (const listeners of [this.#updates, this.#statuses, this.#resyncs, this.#users]) listeners.clear();
    this.held = 0;
    this.#closing.abort();
  }

  /** After a close, whatever begins is a new life. */
  #renew(): void {
    if (this.signal.aborted) this.#closing = new AbortController();
  }

  #begin<T>(set: Set<T>, entry: T, until: SubscribeOptions | undefined): Unsubscribe {
    this.#renew();
    return added(set, entry, until);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function added<T>(set: Set<T>, entry: T, until: SubscribeOptions | undefined): Unsubscribe {
  set.add(entry);
  const off = offOf(() => void set.delete(entry));
  until?.signal?.addEventListener('abort', off, { once: true });
  return off;
}

function offOf(end: () => void): Unsubscribe {
  return Object.assign(end, { [Symbol.dispose]: end });
}
