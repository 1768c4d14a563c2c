import { matches, patterns } from '../../../js/match.js';
import { idle } from '../../../js/snapshot.js';
import type { Client, Gap, Resync, Snapshot, Update } from '../../../js/types.js';

type Loose = Record<string, unknown>;

/** A client whose connection is the test: it says what the wasm would say. Only for what needs no connection. */
export class HandClient implements Client<Loose> {
  readonly origin = 'this-tab';
  held = 0;
  readonly #updates = new Set<{ types: string[]; fn: (update: never) => void }>();
  readonly #statuses = new Set<(snapshot: Snapshot) => void>();
  readonly #resyncs = new Set<(resync: Resync) => void>();
  #snapshot = idle;

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

  subscribe(types: string | readonly string[], fn: (update: never) => void): () => void {
    return added(this.#updates, { types: patterns(types), fn });
  }

  onStatus(fn: (snapshot: Snapshot) => void): () => void {
    return added(this.#statuses, fn);
  }

  onResync(fn: (resync: Resync) => void): () => void {
    return added(this.#resyncs, fn);
  }

  onError(): () => void {
    return () => {};
  }

  getSnapshot(): Snapshot {
    return this.#snapshot;
  }

  acquire(): () => void {
    this.held += 1;
    return () => {
      this.held -= 1;
    };
  }

  pause(): void {}
  resume(): void {}
  reconnect(): void {}
  close(): void {}
  [Symbol.dispose](): void {}
}

function added<T>(set: Set<T>, entry: T): () => void {
  set.add(entry);
  return () => void set.delete(entry);
}
