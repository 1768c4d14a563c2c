// Loaded by the first client that persists its cursor.
import { subjectOf } from './subject.js';
import type { Client, ClientOptions, PersistOptions, StorageLike, TokenAnswer } from './types.js';
import type { Hook, WasmOptions } from './wasm.js';

type AnyClient = Client<Record<string, unknown>>;
type Stream = Pick<ClientOptions, 'url' | 'types'>;

/** What is kept. Nothing of it is believed before it is looked at: the storage belongs to the whole origin. */
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
 * The cursor of a stream may be read before anybody knows who opens it, but a token names its user before it opens anything. So
 * the client starts from the cursor that is kept, and each answer of the token provider is looked at on its way to the client: if
 * it is for another user than the cursor, the client is thrown away before it has the token, and made again without a cursor.
 */
class Keeper {
  readonly #client: AnyClient;
  readonly #options: WasmOptions;
  readonly #entry: Entry;
  /** Whose the client's cursor is: `undefined` nobody's, for there is none; `null` somebody's who has no name. */
  #owner: string | null | undefined;
  /** For whom may be written. */
  #user: string | undefined;
  #written = '';
  #timer: ReturnType<typeof setInterval> | undefined;
  #warned = false;
  #again = () => {};
  /** An answer that the client which asked for it did not live to see. */
  #held: { answer: TokenAnswer } | undefined;

  constructor(client: AnyClient, options: WasmOptions, persist: boolean | PersistOptions) {
    this.#client = client;
    this.#options = options;
    this.#entry = new Entry(options, persist);
    this.#begin();
    const provider = options.token;
    if (provider) options.token = (ask) => this.#ask(provider, ask);
    this.#watch();
  }

  hook: Hook = (_, again) => {
    this.#again = again;
  };

  forget(): void {
    this.#entry.erase();
    this.#user = undefined;
    this.#written = '';
  }

  #begin(): void {
    const { user, token, lastEventId } = this.#options;
    this.#user = user || undefined;
    if (!token) {
      this.#owner = user || null;
      if (!user) this.#warn();
    }
    // What the app says, a server that rendered the page perhaps, is newer than what a former page left behind.
    const kept = lastEventId ? undefined : this.#entry.read();
    if (!kept || (user && kept.user !== user) || this.#owner === null) return;
    this.#owner = kept.user;
    this.#options.lastEventId = kept.cursor;
  }

  async #ask(provider: NonNullable<WasmOptions['token']>, ask: Parameters<typeof provider>[0]): Promise<TokenAnswer> {
    const held = this.#held;
    this.#held = undefined;
    if (held) return held.answer;
    let answer: TokenAnswer;
    try {
      answer = await provider(ask);
    } catch (thrown) {
      const status = (thrown as { status?: unknown } | undefined)?.status;
      if (status === 401 || status === 403) this.forget();
      throw thrown;
    }
    // Nobody waits for it any more, so it opens no stream.
    if (!ask.signal.aborted) this.#answered(answer);
    return answer;
  }

  #answered(answer: TokenAnswer): void {
    const user = this.#options.user || subjectOf(answer);
    if (!user) this.#warn();
    const owner = user ?? null;
    const foreign = this.#owner !== undefined && this.#owner !== owner;
    if (foreign) this.forget();
    this.#owner = owner;
    this.#user = user;
    if (!foreign) return;
    delete this.#options.lastEventId;
    this.#held = { answer };
    this.#again();
  }

  #watch(): void {
    const { signal } = this.#client;
    const save = () => this.#save();
    const hide = () => {
      if (document.visibilityState === 'hidden') save();
    };
    // The cursor moves with beats too, which nobody is told of; so it is looked at while the stream is open, and once after.
    const beat = () => {
      save();
      if (this.#client.getSnapshot().status === 'open') return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    this.#client.onStatus(({ status }) => {
      if (status === 'open') this.#timer ??= setInterval(beat, throttleMs);
    });
    if (typeof window !== 'undefined') window.addEventListener('pagehide', save, { signal });
    if (typeof document !== 'undefined') document.addEventListener('visibilitychange', hide, { signal });
    const end = () => {
      save();
      clearInterval(this.#timer);
    };
    signal.addEventListener('abort', end, { once: true });
  }

  #save(): void {
    const cursor = this.#client.getSnapshot().lastEventId;
    if (!this.#user || cursor === '' || cursor === this.#written) return;
    this.#written = cursor;
    this.#entry.write(this.#user, cursor);
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
    // Of a stream of some types, the cursor says nothing about others.
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

/** Keeps the cursor of the client. Changes `options.token` and `options.lastEventId`. */
export function keeping(client: AnyClient, options: WasmOptions, persist: boolean | PersistOptions): Hook {
  const keeper = new Keeper(client, options, persist);
  keepers.set(client, keeper);
  return keeper.hook;
}

/** Forgets what is kept, of a client that was never connected too. */
export function forget(client: object, options: Stream, { persist }: Pick<ClientOptions, 'persist'>): void {
  const keeper = keepers.get(client);
  if (keeper) keeper.forget();
  else new Entry(options, persist ?? true).erase();
}
