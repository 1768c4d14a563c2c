// The client of a page: the facade over the wasm, with its subscriptions and its state.
import { chunk, pause } from '../loader/chunk.js';
import { loadWasm, type Plugin, type Waiting, type Wasm, type WasmClient, type WasmOptions } from '../loader/wasm.js';
import type { Client, SubscribeOptions, Unsubscribe } from '../model/client.js';
import { countersOf, covered } from '../model/counters.js';
import { Emitter } from '../model/emitter.js';
import { asSseError, report, SseError } from '../model/errors.js';
import type { ClientOptions } from '../model/options.js';
import { patterns } from '../model/patterns.js';
import type { Resync, Snapshot } from '../model/snapshot.js';
import type { ClientStats } from '../model/stats.js';
import type { Update, Updates } from '../model/update.js';
import { inZone } from '../model/zone.js';
import { sharing } from '../tabs/plugin.js';
import { readable } from '../token/readable.js';
import { originOfTab } from './origin.js';
import { adopt, idle } from './snapshot.js';

const news = ['status', 'error', 'clientId', 'attempt', 'retryAt', 'role', 'user'] as const;

/**
 * One live connection, lazily.
 *
 * ```ts
 * import { createClient } from 'tinysse';
 *
 * export const sse = createClient({
 *   url: '/events',
 *   token: async ({ signal }) => {
 *     const response = await fetch('/auth/sse-token', { method: 'POST', signal });
 *     if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
 *     return response.json();
 *   },
 * });
 * sse.subscribe('projects', (update) => console.log(update.type, update.id));
 * const release = sse.acquire(); // now it loads and connects
 * ```
 *
 * Nothing happens at import or here, so it can be called in a module that a server loads too. What
 * is called before the wasm is there takes effect when it is: subscriptions in their order, then
 * `pause`, then the start. Failures to load or to connect are not thrown; they are the `error` of
 * the snapshot and go to `onError`.
 *
 * After `close` a client may be used again. What goes wrong is also explained by the console, once
 * for each kind of failure; `quiet` turns that off.
 *
 * @throws SseError with the code `options` if `url`, `closeDelay` or `share` is wrong; the other options are checked by the wasm.
 */
export function createClient<U = Updates>(options: ClientOptions): Client<U> {
  return new Facade(options) as unknown as Client<U>;
}

class Facade implements Client<Record<string, unknown>> {
  readonly #given: WasmOptions;
  /** Those of this life; plugins may change them until the wasm is made. */
  #options: WasmOptions;
  readonly #closeDelay: number;
  readonly #own: Pick<ClientOptions, 'wasm' | 'persist' | 'log' | 'share' | 'quiet'>;
  /**
   * Each makes one subscription at a client of the wasm; with the types of those that the
   * application made.
   */
  readonly #binds = new Map<(wasm: WasmClient) => void, readonly string[]>();
  readonly #statuses = new Emitter<Snapshot>();
  readonly #resyncs = new Emitter<Resync>();
  readonly #errors = new Emitter<SseError>();
  readonly #users = new Emitter<string | null>();
  /** What is to be ended at the latest with the client. */
  readonly #offs = new Set<() => void>();
  #closing!: AbortController;
  readonly #end: AbortSignal | undefined;
  #plugins: Promise<Plugin[]> | undefined;
  /** See {@link ClientStats.latency}. */
  readonly #late: number[] = [];
  #wasm: WasmClient | undefined;
  #loading = false;
  #snapshot = idle;
  #holders = 0;
  /** The connection has a holder, or was released less than `closeDelay` ago. */
  #wanted = false;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #paused = false;
  /** `null` means no user, `undefined` leaves it to the token. */
  #user: string | null | undefined;
  /** Nothing is kept of a user, and no connection opens before there is a reason for one. */
  #forgotten = false;

  /**
   * Kinds of failures that the console has explained: as many as there are messages and HTTP
   * statuses.
   */
  readonly #explained = new Set<string>();
  readonly #waiting: Waiting = {
    wanted: () => this.#awaited(),
    failed: (error, attempt, wait) => this.#showLoading({ error, attempt, retryAt: Date.now() + wait }),
    hurry() {},
  };

  constructor(given: ClientOptions) {
    const { closeDelay = 1000, wasm, persist, log, share = 'auto', quiet, signal, user, ...options } = given ?? {};
    if (!options.url) throw new SseError('options', "option `url`: needed, as in createClient({ url: '/events' })");
    if (!(closeDelay >= 0)) throw new SseError('options', 'closeDelay: a number of milliseconds is needed');
    if (share !== 'auto' && share !== 'off') throw new SseError('options', "share: 'auto' or 'off' is needed");
    this.#closeDelay = closeDelay;
    this.#own = { wasm, persist, log, share, quiet };
    if (typeof options.token === 'function') options.token = readable(options.token);
    this.#user = user === undefined ? user : user || null;
    this.#given = options;
    this.#options = this.#fresh();
    this.#end = signal;
    this.#begin();
    if (signal?.aborted) this.close();
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get origin(): string {
    return originOfTab();
  }

  subscribe = (
    types: string | readonly string[],
    fn: (update: never) => void,
    until?: SubscribeOptions,
  ): Unsubscribe => {
    const list = patterns(types);
    const call = inZone(fn);
    let id: number | undefined;
    const bind = (wasm: WasmClient) => {
      id = wasm.subscribe(list, (update) => {
        if (!this.#binds.has(bind)) return;
        this.#clock(update);
        // What it throws is reported by the wasm.
        call(update as never);
      });
    };
    return this.#until(until, () => {
      this.#binds.set(bind, covered.has(fn) ? [] : list);
      if (this.#wasm) bind(this.#wasm);
      return () => {
        this.#binds.delete(bind);
        if (id !== undefined) this.#wasm?.unsubscribe(id);
      };
    });
  };

  onStatus = this.#on(this.#statuses);
  onResync = this.#on(this.#resyncs);
  onError = this.#on(this.#errors);
  onUser = this.#on(this.#users);

  getSnapshot = (): Snapshot => {
    // The counters move without a change of status, so the wasm is asked; `adopt` keeps the object
    // while nothing moved.
    if (this.#wasm) this.#snapshot = adopt(this.#snapshot, this.#wasm.snapshot(), Date.now());
    return this.#snapshot;
  };

  stats = async (): Promise<ClientStats> => (await more()).inspect(this, this.#wasm, this.#late, countersOf(this));

  acquire = (until?: SubscribeOptions): Unsubscribe =>
    this.#until(until, () => {
      if (this.#options.transport !== 'fetch' && typeof EventSource === 'undefined') return () => {};
      this.#holders += 1;
      clearTimeout(this.#closeTimer);
      if (!this.#wanted) {
        this.#wanted = true;
        this.#forgotten = false;
        this.#connect();
      }
      const { signal } = this;
      return () => {
        if (signal.aborted) return;
        this.#holders -= 1;
        if (this.#holders === 0 && this.#wanted) this.#closeTimer = setTimeout(this.#letGo, this.#closeDelay);
      };
    });

  pause = (): void => {
    this.#paused = true;
    this.#wasm?.pause();
  };

  resume = (): void => {
    this.#paused = false;
    this.#wasm?.resume();
  };

  reconnect = (): void => {
    this.#forgotten = false;
    if (!this.#wanted) return;
    if (!this.#wasm) {
      this.#connect();
      this.#waiting.hurry();
    } else if (this.#wasm.snapshot().status === 'failed') this.#wasm.start();
    else this.#wasm.reconnect();
  };

  setUser = (id: string | null): void => {
    const user = id || null;
    const known = this.#user === undefined ? this.#snapshot.user : this.#user;
    const changed = user !== (this.#forgotten ? null : known);
    // A cursor that was given is for the user who was named first.
    if (changed && this.#user !== undefined) this.#options.lastEventId = this.#given.lastEventId = undefined;
    this.#user = user;
    this.#forgotten = false;
    this.#options.user = user ?? undefined;
    if (this.#wasm) this.#wasm.setUser(user ?? '');
    else if (this.#wanted) this.#connect();
    if (changed) this.#users.emit(user);
  };

  forget = async (): Promise<void> => {
    this.#forgotten = true;
    this.#options.lastEventId = this.#given.lastEventId = undefined;
    if (this.#wasm) this.#wasm.forget();
    else if (this.#wanted) this.#show(idle);
    this.#users.emit(null);
    if (this.#own.persist) await more().then(({ forget }) => forget(this, this.#options, this.#own), report);
  };

  close = (): void => {
    if (this.signal.aborted) return;
    const wasm = this.#wasm;
    const last = this.getSnapshot();
    this.#wasm = undefined;
    this.#end?.removeEventListener('abort', this.close);
    for (const off of this.#offs) off();
    clearTimeout(this.#closeTimer);
    this.#wanted = this.#paused = this.#forgotten = false;
    this.#holders = 0;
    this.#plugins = undefined;
    this.#waiting.hurry();
    this.#options = this.#fresh();
    // At the end: a listener may look at the last snapshot, and what it begins belongs to the next
    // life.
    this.#closing.abort();
    if (this.#snapshot === last) this.#snapshot = idle;
    if (wasm) dispose(wasm);
  };

  [Symbol.dispose](): void {
    this.close();
  }

  #on<T>(fanout: Emitter<T>) {
    return (fn: (value: T) => void, until?: SubscribeOptions): Unsubscribe => this.#until(until, () => fanout.add(fn));
  }

  /** A life of the client, which `close` ends. */
  #begin(): void {
    this.#closing = new AbortController();
    this.#end?.addEventListener('abort', this.close);
  }

  #fresh(): WasmOptions {
    return { ...this.#given, user: this.#user ?? undefined };
  }

  /**
   * Begins what ends once: by hand, by a signal, or with the client. After `close`, a new life of
   * the client.
   */
  #until({ signal }: SubscribeOptions = {}, begin: () => () => void): Unsubscribe {
    if (this.signal.aborted && !this.#end?.aborted) this.#begin();
    let end: (() => void) | undefined;
    const off = () => {
      if (!this.#offs.delete(off)) return;
      signal?.removeEventListener('abort', off);
      end?.();
    };
    if (!this.signal.aborted && !signal?.aborted) {
      this.#offs.add(off);
      signal?.addEventListener('abort', off);
      end = begin();
      // It called a listener, which ended it.
      if (!this.#offs.has(off)) end();
    }
    return Object.assign(off, { [Symbol.dispose]: off });
  }

  #letGo = (): void => {
    this.#wanted = this.#forgotten = false;
    this.#waiting.hurry();
    if (this.#wasm) this.#wasm.stop();
    else this.#show(idle);
  };

  #connect(): void {
    if (this.#wasm) {
      this.#wasm.start();
      return;
    }
    if (!this.#awaited()) {
      this.#show(idle);
      return;
    }
    this.#showLoading();
    if (!this.#loading) this.#load();
  }

  /** The connection has a holder, and there is a user to connect. */
  #awaited(): boolean {
    return this.#wanted && this.#user !== null && !this.#forgotten;
  }

  #showLoading(failure?: Pick<Snapshot, 'error' | 'attempt' | 'retryAt'>): void {
    this.#show({ ...idle, status: this.#paused ? 'paused' : 'connecting', ...failure });
  }

  /** A holder that released, or closed, while it loads gets nothing of it. */
  async #load(): Promise<void> {
    const { signal } = this;
    const { wasm, persist, log, share } = this.#own;
    const options = this.#options;
    const { token, user, transport } = options;
    const debug = debugging();
    this.#loading = true;
    // Tabs share what is one user's, by locks. What few want is loaded for them alone, and the
    // connection works without it.
    const shared = share === 'auto' && (token || user) && globalThis.navigator?.locks;
    if (persist || log || debug) {
      this.#plugins ??= more()
        .then(({ plugins }) => (this.#wasm || signal.aborted ? [] : plugins(this, options, this.#own, debug, report)))
        .catch((thrown: unknown) => {
          report(thrown);
          return [];
        });
    }
    try {
      const module = await loadWasm(wasm, transport, this.#waiting);
      const [over, end] = pause(patience);
      const wanted = await Promise.race([this.#plugins, over]);
      end();
      this.#loading = false;
      if (!this.#awaited()) return;
      // Closed, and wanted again since: the plugins are those of the life before.
      if (signal.aborted) this.#load();
      else this.#boot(module, [...(wanted ?? []), ...(shared ? [sharing(this.#options)] : [])]);
    } catch (thrown) {
      this.#loading = false;
      const error = asSseError(thrown, 'wasm');
      // A wrong option is a mistake in the program; it must be seen even without a listener.
      if (error.code === 'options') report(error);
      if (this.#awaited()) this.#show({ ...idle, status: 'failed', error });
    }
  }

  #boot(module: Wasm, plugins: readonly Plugin[]): void {
    const changed = () => {
      if (this.#wasm === wasm) this.#show(adopt(this.#snapshot, wasm.snapshot(), Date.now()));
    };
    const forget = () => {
      if (this.#wasm === wasm) this.forget();
    };
    const inner = new module.SseClient(this.#options);
    const wasm = plugins.reduce((client, plugin) => plugin(client, changed, forget), inner);
    this.#given.lastEventId = undefined;
    this.#wasm = wasm;
    wasm.onStatus(changed);
    wasm.onResync(({ gap, types }) => {
      this.#resyncs.emit(Object.freeze({ gap, types }));
      this.#warn();
    });
    for (const bind of this.#binds.keys()) bind(wasm);
    if (this.#paused) wasm.pause();
    wasm.start();
  }

  /** Replayed ones are late because we were away. */
  #clock({ at, replayed }: Update): void {
    if (!at || replayed) return;
    const bucket = Math.ceil(Math.log2(Math.max(0, Date.now() - at) + 1));
    this.#late[bucket] = (this.#late[bucket] ?? 0) + 1;
  }

  #show(next: Snapshot): void {
    const previous = this.#snapshot;
    if (next === previous) return;
    this.#snapshot = Object.freeze(next);
    // The counters move with every update; only what people are shown is news.
    if (news.some((name) => next[name] !== previous[name])) this.#statuses.emit(next);
    const unnamed = this.#user === undefined && !this.#forgotten;
    if (unnamed && previous.user && next.user !== previous.user) this.#users.emit(next.user);
    const { error } = next;
    if (error && (error !== previous.error || next.attempt > previous.attempt)) {
      this.#errors.emit(error);
      this.#explain(error, next);
    }
  }

  /**
   * Of patterns that a native stream of a plain server cannot deliver, once: its gaps are announced
   * without a name for the stream.
   */
  #warn(): void {
    if (this.#own.quiet || this.#explained.has('') || this.#options.transport === 'fetch') return;
    if (this.getSnapshot().clientId) return;
    this.#explained.add('');
    import('./unnamed.js').then(
      ({ warnOfPatterns }) => warnOfPatterns([...this.#binds.values()].flat(), this.#options.url),
      () => {},
    );
  }

  #explain(error: SseError, snapshot: Snapshot): void {
    // What follows a colon may differ each time.
    const kind = `${error.code} ${error.status} ${error.message.split(':', 1)}`;
    if (this.#own.quiet || this.signal.aborted || this.#explained.has(kind)) return;
    this.#explained.add(kind);
    import('./explain.js').then(
      ({ explain }) => this.signal.aborted || explain(error, snapshot, this.#options),
      () => {}, // nothing depends on it
    );
  }
}

const more = chunk(() => import('../plugins/index.js'), 'plugins');

/** How long a connection waits for what it can do without, in milliseconds. */
const patience = 3_000;

/** Not freed at once: a listener may have asked for it, which the wasm called. */
function dispose(wasm: WasmClient): void {
  wasm.close();
  queueMicrotask(() => wasm.free());
}

function debugging(): string | null {
  try {
    return localStorage.getItem('tinysse.debug');
  } catch {
    return null; // denied, or no such thing here
  }
}
