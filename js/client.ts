import { asSseError, report, SseError } from './errors.js';
import { Fanout } from './fanout.js';
import { patterns } from './match.js';
import { originOfTab } from './origin.js';
import { adopt, idle } from './snapshot.js';
import type { Client, ClientOptions, Resync, Snapshot, Update, Updates } from './types.js';
import { loadWasm, type Wasm, type WasmClient } from './wasm.js';

interface Subscription {
  readonly types: string[];
  readonly fn: (update: Update) => void;
  /** Its number in the wasm, once that is there. */
  id?: number;
}

const news = ['status', 'error', 'clientId', 'attempt', 'retryAt'] as const;

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
 * Nothing happens at import or here, so it can be called in a module that a server loads too. What is called before the wasm
 * is there takes effect when it is: subscriptions in their order, then `pause`, then the start. Failures to load or to
 * connect are not thrown; they are the `error` of the snapshot and go to `onError`.
 *
 * @throws SseError with the code `options` if `linger` is no number of milliseconds; the other options are checked by the wasm.
 */
export function createClient<U = Updates>(options: ClientOptions): Client<U> {
  return new Facade(options) as unknown as Client<U>;
}

class Facade implements Client<Record<string, unknown>> {
  readonly #options: Omit<ClientOptions, 'linger' | 'wasm'>;
  readonly #linger: number;
  readonly #source: ClientOptions['wasm'];
  readonly #subscriptions = new Set<Subscription>();
  readonly #statuses = new Fanout<Snapshot>();
  readonly #resyncs = new Fanout<Resync>();
  readonly #errors = new Fanout<SseError>();
  #wasm: WasmClient | undefined;
  #loading = false;
  #snapshot = idle;
  #holders = 0;
  /** Somebody holds the connection, or let go of it less than `linger` ago. */
  #wanted = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #paused = false;
  #closed = false;

  constructor(options: ClientOptions) {
    const { linger = 1000, wasm, ...rest } = options;
    if (!(linger >= 0)) throw new SseError('options', 'linger: a number of milliseconds is needed');
    this.#linger = linger;
    this.#source = wasm;
    this.#options = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as typeof rest;
  }

  get origin(): string {
    return originOfTab();
  }

  subscribe = (types: string | readonly string[], fn: (update: never) => void): (() => void) => {
    const subscription: Subscription = { types: patterns(types), fn: fn as (update: Update) => void };
    if (this.#closed) return () => {};
    this.#subscriptions.add(subscription);
    if (this.#wasm) this.#bind(this.#wasm, subscription);
    return () => {
      if (!this.#subscriptions.delete(subscription)) return;
      if (subscription.id !== undefined) this.#wasm?.unsubscribe(subscription.id);
    };
  };

  onStatus = (fn: (snapshot: Snapshot) => void): (() => void) => this.#listen(this.#statuses, fn);
  onResync = (fn: (resync: Resync) => void): (() => void) => this.#listen(this.#resyncs, fn);
  onError = (fn: (error: SseError) => void): (() => void) => this.#listen(this.#errors, fn);

  getSnapshot = (): Snapshot => {
    // The counters move without a change of status, so the wasm is asked; `adopt` keeps the object while nothing moved.
    if (this.#wasm) this.#snapshot = adopt(this.#snapshot, this.#wasm.snapshot(), Date.now());
    return this.#snapshot;
  };

  acquire = (): (() => void) => {
    if (this.#closed || typeof EventSource === 'undefined') return () => {};
    this.#holders += 1;
    clearTimeout(this.#lingering);
    if (!this.#wanted) {
      this.#wanted = true;
      this.#connect();
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0 && !this.#closed) this.#lingering = setTimeout(this.#letGo, this.#linger);
    };
  };

  pause = (): void => {
    this.#paused = true;
    this.#wasm?.pause();
  };

  resume = (): void => {
    this.#paused = false;
    this.#wasm?.resume();
  };

  reconnect = (): void => {
    if (!this.#wanted || this.#closed) return;
    if (!this.#wasm) this.#connect();
    else if (this.#wasm.snapshot().status === 'failed') this.#wasm.start();
    else this.#wasm.reconnect();
  };

  close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lingering);
    for (const fanout of [this.#statuses, this.#resyncs, this.#errors]) fanout.clear();
    this.#subscriptions.clear();
    this.#snapshot = idle;
    const wasm = this.#wasm;
    this.#wasm = undefined;
    if (!wasm) return;
    wasm.close();
    // Not at once: `close()` may be called by a listener, which the wasm called.
    queueMicrotask(() => wasm.free());
  };

  [Symbol.dispose](): void {
    this.close();
  }

  #listen<T>(fanout: Fanout<T>, fn: (value: T) => void): () => void {
    return this.#closed ? () => {} : fanout.add(fn);
  }

  #letGo = (): void => {
    this.#wanted = false;
    if (this.#wasm) this.#wasm.stop();
    else this.#show(idle);
  };

  #connect(): void {
    if (this.#wasm) {
      this.#wasm.start();
      return;
    }
    this.#show({ ...idle, status: this.#paused ? 'paused' : 'connecting' });
    if (this.#loading) return;
    this.#loading = true;
    loadWasm(this.#source).then(
      (module) => this.#loaded(() => this.#boot(module)),
      (thrown: unknown) => this.#loaded(() => this.#fail(asSseError(thrown, 'wasm'))),
    );
  }

  /** Whoever let go, or closed, while it loaded gets nothing of it. */
  #loaded(then: () => void): void {
    this.#loading = false;
    if (this.#wanted && !this.#closed) then();
  }

  #boot(module: Wasm): void {
    let wasm: WasmClient;
    try {
      wasm = new module.SseClient(this.#options);
    } catch (thrown) {
      const error = asSseError(thrown, 'wasm');
      // A wrong option is a mistake in the program; it must be seen even if nobody listens.
      report(error);
      this.#fail(error);
      return;
    }
    this.#wasm = wasm;
    wasm.onStatus((raw) => {
      if (!this.#closed) this.#show(adopt(this.#snapshot, raw, Date.now()));
    });
    wasm.onResync(({ gap, types }) => this.#resyncs.emit(Object.freeze({ gap, types })));
    for (const subscription of this.#subscriptions) this.#bind(wasm, subscription);
    if (this.#paused) wasm.pause();
    wasm.start();
  }

  #bind(wasm: WasmClient, subscription: Subscription): void {
    subscription.id = wasm.subscribe(subscription.types, (update) => {
      if (!this.#subscriptions.has(subscription)) return;
      try {
        subscription.fn(update);
      } catch (thrown) {
        report(thrown);
      }
    });
  }

  #fail(error: SseError): void {
    this.#show({ ...idle, status: 'failed', error });
  }

  #show(next: Snapshot): void {
    const previous = this.#snapshot;
    if (next === previous) return;
    this.#snapshot = Object.freeze(next);
    // The counters move with every update; only what people are shown is news.
    if (news.some((name) => next[name] !== previous[name])) this.#statuses.emit(next);
    const { error } = next;
    if (error && (error !== previous.error || next.attempt > previous.attempt)) this.#errors.emit(error);
  }
}
