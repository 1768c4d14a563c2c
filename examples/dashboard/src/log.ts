// The store of the newest events.
import type { Resync, Update } from 'tinysse';

/** How many rows are kept: enough to read a storm, few enough to stay fast on a phone. */
export const KEPT = 200;
const PREVIEW = 160;

interface Common {
  /** Rises by one a row; the React key, since an id may come again in another epoch. */
  readonly n: number;
  /** Milliseconds since 1970: when the hub took it, or when it arrived if the hub did not send that. */
  readonly at: number;
}
export interface UpdateRow extends Common {
  readonly kind: 'update';
  readonly id: string;
  readonly type: string;
  readonly origin: string | undefined;
  readonly replayed: boolean;
  readonly data: string;
}
export interface ResyncRow extends Common {
  readonly kind: 'resync';
  readonly gap: Resync['gap'];
  readonly types: readonly string[] | null;
}
export type Row = UpdateRow | ResyncRow;

/** What the log shows. */
export interface Log {
  /** Newest first. */
  readonly rows: readonly Row[];
  readonly updates: number;
  readonly replayed: number;
  readonly resyncs: number;
}

/**
 * The event log as a store outside React: a storm of updates is a storm of small pushes, and one render a frame.
 */
export class LogStore {
  #log: Log = { rows: [], updates: 0, replayed: 0, resyncs: 0 };
  #fresh: Row[] = [];
  #n = 0;
  #frame: number | undefined;
  readonly #listeners = new Set<() => void>();

  update(update: Update): void {
    const { id, type, origin, replayed, at = Date.now() } = update;
    this.#push({ kind: 'update', n: ++this.#n, at, id, type, origin, replayed, data: preview(update.data) });
  }

  resync({ gap, types }: Resync): void {
    this.#push({ kind: 'resync', n: ++this.#n, at: Date.now(), gap, types });
  }

  clear = (): void => {
    this.#fresh = [];
    this.#show({ ...this.#log, rows: [] });
  };

  readonly get = (): Log => this.#log;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #push(row: Row): void {
    this.#fresh.unshift(row);
    // A hidden tab gets no frames, so the buffer is flushed by hand before it outgrows what is kept.
    if (this.#fresh.length >= KEPT) this.#flush();
    else this.#frame ??= requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    let { updates, replayed, resyncs } = this.#log;
    for (const row of this.#fresh) {
      if (row.kind === 'resync') resyncs += 1;
      else {
        updates += 1;
        if (row.replayed) replayed += 1;
      }
    }
    const rows = [...this.#fresh, ...this.#log.rows].slice(0, KEPT);
    this.#fresh = [];
    this.#show({ rows, updates, replayed, resyncs });
  }

  #show(log: Log): void {
    this.#log = log;
    for (const listener of this.#listeners) listener();
  }
}

/** The log of this page. */
export const log = new LogStore();

function preview(data: unknown): string {
  if (data === undefined || data === null) return '';
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text;
}
