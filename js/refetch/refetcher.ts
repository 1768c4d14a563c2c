// The connection between a client and its coordinator, one for each client.
import type { Client } from '../model/client.js';
import { countersOf, covered } from '../model/counters.js';
import type { Update } from '../model/update.js';
import { Coordinator } from './coordinator.js';
import type { Handle, Query, SchedulerEnv } from './query.js';

/** A client of any updates. */
// biome-ignore lint/suspicious/noExplicitAny: a client of one map of updates is not one of another map, but the hooks take any.
export type AnyClient = Client<any>;

const page: SchedulerEnv = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
  random: () => Math.random(),
  hidden: () => typeof document !== 'undefined' && document.visibilityState === 'hidden',
};

/** The coordinator of one client, subscribed to it while a hook or provider holds it. */
export class Refetcher {
  readonly #client: AnyClient;
  readonly #coordinator: Coordinator;
  /** The types of each mounted hook, and what ends the subscription to them. */
  readonly #asked = new Map<readonly string[], () => void>();
  #holders = 0;
  /** The life of the client whose updates are subscribed to. */
  #life: AbortSignal | undefined;
  #offs: (() => void)[] = [];

  constructor(client: AnyClient) {
    this.#client = client;
    this.#coordinator = new Coordinator(page, countersOf(client));
  }

  /**
   * Subscribes, even if no query is kept fresh yet: what comes now counts for components that mount
   * later.
   */
  hold(): () => void {
    this.#holders += 1;
    this.#wire();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#unwire();
    };
  }

  /** {@link Coordinator.add}, and holds as long. */
  add(query: Query): Handle {
    const release = this.hold();
    const { types } = query;
    this.#ask(types);
    const handle = this.#coordinator.add(query);
    const remove = () => {
      handle.remove();
      this.#asked.get(types)?.();
      this.#asked.delete(types);
      release();
    };
    return { observe: handle.observe, remove };
  }

  /**
   * A native EventSource of a plain server delivers only what is asked for by name, so `*` is not
   * enough.
   */
  #ask(types: readonly string[]): void {
    this.#asked.set(
      types,
      this.#client.subscribe(types, () => {}),
    );
  }

  /** Closing a client ends its subscriptions; they are made again in its next life. */
  #wire(): void {
    if (this.#life?.aborted === false) return;
    this.#unwire();
    const client = this.#client;
    const { origin } = client;
    const visible = () => {
      if (!page.hidden()) this.#coordinator.shown();
    };
    const closed = () => queueMicrotask(() => this.#holders > 0 && this.#wire());
    const updated = (update: Update<string, Record<string, unknown>>) => {
      const spread = typeof update.spread === 'number' ? update.spread : 0;
      this.#coordinator.update(update.type, update, { own: update.origin === origin, spread });
    };
    covered.add(updated);
    this.#offs = [
      client.subscribe('*', updated),
      client.onResync(({ types, gap }) => this.#coordinator.resync(types, gap)),
      client.onUser(() => this.#coordinator.clear()),
    ];
    // After the subscriptions, since they begin the next life of a closed client.
    const { signal } = client;
    this.#life = signal;
    signal.addEventListener('abort', closed);
    this.#offs.push(() => signal.removeEventListener('abort', closed));
    for (const types of this.#asked.keys()) this.#ask(types);
    if (typeof document === 'undefined') return;
    document.addEventListener('visibilitychange', visible);
    this.#offs.push(() => document.removeEventListener('visibilitychange', visible));
  }

  #unwire(): void {
    this.#life = undefined;
    for (const off of this.#offs) off();
    this.#offs = [];
  }
}

const known = new WeakMap<AnyClient, Refetcher>();

/** The one {@link Refetcher} of a client. */
export function refetcherOf(client: AnyClient): Refetcher {
  let refetcher = known.get(client);
  if (!refetcher) {
    refetcher = new Refetcher(client);
    known.set(client, refetcher);
  }
  return refetcher;
}
