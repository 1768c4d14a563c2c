import type { Handle, Job, World } from './job.js';
import { Coordinator } from './refetch.js';
import { tallyOf } from './tally.js';
import type { Client } from './types.js';

/** A client of any updates. */
// biome-ignore lint/suspicious/noExplicitAny: a client of one map of updates is not one of another map, but the hooks take any.
export type AnyClient = Client<any>;

const page: World = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
  random: () => Math.random(),
  hidden: () => typeof document !== 'undefined' && document.visibilityState === 'hidden',
};

/** Has users that may change. */
interface WithUsers {
  onUser?(fn: () => void): () => void;
}

/** The coordinator of one client, subscribed to it while a hook or provider holds it. */
export class Refetcher {
  readonly #client: AnyClient;
  readonly #coordinator: Coordinator;
  /** The names that each mounted hook asks for, and what ends the subscription. */
  readonly #names = new Map<readonly string[], () => void>();
  #holders = 0;
  /** The life of the client whose updates are subscribed to. */
  #life: AbortSignal | undefined;
  #offs: (() => void)[] = [];

  constructor(client: AnyClient) {
    this.#client = client;
    this.#coordinator = new Coordinator(page, tallyOf(client));
  }

  /** Subscribes, even if no query is kept fresh yet: what comes now counts for components that mount later. */
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
  add(job: Job): Handle {
    const release = this.hold();
    // A native EventSource of a plain server delivers only what is asked for by name; a pattern names nothing.
    const names = job.types.filter((type) => !type.endsWith('*'));
    this.#ask(names);
    const handle = this.#coordinator.add(job);
    const remove = () => {
      handle.remove();
      this.#names.get(names)?.();
      this.#names.delete(names);
      release();
    };
    return { observe: handle.observe, remove };
  }

  #ask(names: readonly string[]): void {
    if (names.length > 0)
      this.#names.set(
        names,
        this.#client.subscribe(names, () => {}),
      );
  }

  /** Closing a client ends its subscriptions; they are made again in its next life. */
  #wire(): void {
    const client = this.#client;
    const { origin, signal } = client;
    if (signal === this.#life) return;
    this.#unwire();
    this.#life = signal;
    const visible = () => {
      if (!page.hidden()) this.#coordinator.shown();
    };
    const closed = () => queueMicrotask(() => this.#holders > 0 && this.#wire());
    this.#offs = [
      client.subscribe('*', (update) => {
        const spread = typeof update.spread === 'number' ? update.spread : 0;
        this.#coordinator.update(update.type, update, { own: update.origin === origin, spread });
      }),
      client.onResync(({ types, gap }) => this.#coordinator.resync(types, gap)),
      (client as WithUsers).onUser?.(() => this.#coordinator.clear()) ?? (() => {}),
      () => signal.removeEventListener('abort', closed),
    ];
    signal.addEventListener('abort', closed);
    for (const names of this.#names.keys()) this.#ask(names);
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
