// Loaded by the first client that persists its cursor.

import type { WasmOptions } from '../loader/wasm.js';
import type { Client } from '../model/client.js';
import type { ClientOptions, PersistOptions, StorageLike } from '../model/options.js';

type AnyClient = Client<Record<string, unknown>>;
type Stream = Pick<ClientOptions, 'url' | 'types'>;

/**
 * What is kept. Nothing of it is believed before it is looked at: the storage belongs to the whole
 * origin.
 */
interface Kept {
  /** The stream that the cursor belongs to. */
  readonly stream: string;
  readonly user: string;
  readonly cursor: string;
}

/** Least time between two writes, in milliseconds. */
const throttleMs = 1000;
const longestCursor = 1024;

/**
 * Keeps the cursor of a client over reloads, for one stream and one user.
 *
 * The stored cursor is given to the session together with its user. The session drops it if the
 * first token, or the application, names another one. What is stored is erased when the user is
 * another one, and when the token provider answers 401 or 403.
 */
class Keeper {
  readonly #client: AnyClient;
  readonly #entry: Entry;
  #written = '';
  #timer: ReturnType<typeof setInterval> | undefined;
  #warned = false;

  constructor(client: AnyClient, options: WasmOptions, persist: boolean | PersistOptions) {
    this.#client = client;
    this.#entry = new Entry(options, persist);
    // What the application gives, perhaps from a server that rendered the page, is newer than what
    // a former page stored.
    const kept = options.lastEventId ? undefined : this.#entry.read();
    // Without a token provider, only the application can name the user.
    if (kept && (options.token || options.user)) {
      options.lastEventId = kept.cursor;
      options.cursorUser = kept.user;
    }
    this.#watch();
  }

  erase(): void {
    this.#entry.erase();
    this.#written = '';
  }

  #watch(): void {
    const { signal } = this.#client;
    const save = () => this.#save();
    const hide = () => {
      if (document.visibilityState === 'hidden') save();
    };
    // The cursor moves with heartbeats too, which are not reported; so it is looked at while the
    // stream is open, and once after.
    const beat = () => {
      save();
      if (this.#client.getSnapshot().status === 'open') return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    this.#client.onStatus(({ status, error }) => {
      if (status === 'open') this.#timer ??= setInterval(beat, throttleMs);
      if (error?.code === 'unauthorized' && !error.retryable) this.erase();
    });
    this.#client.onUser(() => this.erase());
    if (typeof window !== 'undefined') window.addEventListener('pagehide', save, { signal });
    if (typeof document !== 'undefined') document.addEventListener('visibilitychange', hide, { signal });
    const end = () => {
      save();
      clearInterval(this.#timer);
    };
    signal.addEventListener('abort', end, { once: true });
  }

  #save(): void {
    const { lastEventId, user, status } = this.#client.getSnapshot();
    if (!user && status === 'open') this.#warn();
    if (!user || status === 'failed' || lastEventId === '' || lastEventId === this.#written) return;
    this.#written = lastEventId;
    this.#entry.write(user, lastEventId);
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(
      'tinysse: nothing is persisted, for the user is unknown: give `user`, or answer { token, user }, or a JWT with `sub`.',
    );
  }
}

/** One place in a storage, which may be full, denied, or hold anything. */
class Entry {
  readonly #key: string;
  readonly #stream: string;
  readonly #storage: StorageLike | undefined;

  constructor({ url, types }: Stream, persist: boolean | PersistOptions) {
    const given = typeof persist === 'object' ? persist : {};
    const base = typeof document === 'undefined' ? undefined : document.baseURI;
    this.#stream = attempt(() => new URL(url, base).href) ?? url;
    // Of a stream of some types, the cursor means nothing for others.
    if (types) this.#stream += ` ${[...types].sort()}`;
    this.#key = given.key ?? `tinysse:${this.#stream}`;
    this.#storage = given.storage ?? attempt(() => sessionStorage);
  }

  read(): Kept | undefined {
    return attempt(() => {
      const { stream, user, cursor } = JSON.parse(this.#storage?.getItem(this.#key) ?? 'null') as Kept;
      const good = stream === this.#stream && typeof user === 'string' && user !== '' && isCursor(cursor);
      return good ? { stream, user, cursor } : undefined;
    });
  }

  write(user: string, cursor: string): void {
    const kept: Kept = { stream: this.#stream, user, cursor };
    attempt(() => this.#storage?.setItem(this.#key, JSON.stringify(kept)));
  }

  erase(): void {
    attempt(() => this.#storage?.removeItem(this.#key));
  }
}

/** No control character may get into a header or a URL. */
function isCursor(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > longestCursor) return false;
  return [...value].every((char) => char >= ' ' && char !== '\x7f');
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const keepers = new WeakMap<object, Keeper>();

/** Keeps the cursor of the client. Changes `options.lastEventId`. */
export function keep(client: AnyClient, options: WasmOptions, persist: boolean | PersistOptions): void {
  keepers.set(client, new Keeper(client, options, persist));
}

/** Erases what is kept, of a client that was never connected too. */
export function forget(client: object, options: Stream, { persist }: Pick<ClientOptions, 'persist'>): void {
  const keeper = keepers.get(client);
  if (keeper) keeper.erase();
  else new Entry(options, persist ?? true).erase();
}
