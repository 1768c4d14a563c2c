import type { Handle, Job, World } from './job.js';
import { Coordinator } from './refetch.js';
import { tallyOf } from './tally.js';
import type { Client } from './types.js';

/** A client of whatever updates. */
// biome-ignore lint/suspicious/noExplicitAny: a client of one map of updates is none of another, but the hooks take them all.
export type AnyClient = Client<any>;

const page: World = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
  random: () => Math.random(),
  hidden: () => typeof document !== 'undefined' && document.visibilityState === 'hidden',
};

/** The coordinator of one client, wired to it while anybody holds it. */
export class Refetcher {
  readonly #client: AnyClient;
  readonly #coordinator: Coordinator;
  #holders = 0;
  #unwire: (() => void) | undefined;

  constructor(client: AnyClient) {
    this.#client = client;
    this.#coordinator = new Coordinator(page, tallyOf(client));
  }

  /** Listens, even if no query is kept fresh yet: what is heard now counts for those that mount later. */
  hold(): () => void {
    if (this.#holders === 0) this.#unwire = this.#wire();
    this.#holders += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#unwire?.();
    };
  }

  /** {@link Coordinator.add}, and holds as long. */
  add(job: Job): Handle {
    const release = this.hold();
    // A native EventSource of a server that is not ours hears only what is asked for by name; `*` names nothing.
    const names = job.types.filter((type) => !type.endsWith('*'));
    const unname = names.length > 0 ? this.#client.subscribe(names, () => {}) : undefined;
    const handle = this.#coordinator.add(job);
    const remove = () => {
      handle.remove();
      unname?.();
      release();
    };
    return { observe: handle.observe, remove };
  }

  #wire(): () => void {
    const { origin } = this.#client;
    const shown = () => {
      if (!page.hidden()) this.#coordinator.shown();
    };
    const offs: (() => void)[] = [
      this.#client.subscribe('*', (update) => {
        const spread = typeof update.spread === 'number' ? update.spread : 0;
        this.#coordinator.update(update.type, update, { own: update.origin === origin, spread });
      }),
      this.#client.onResync(({ types, gap }) => this.#coordinator.resync(types, gap)),
    ];
    if (typeof document !== 'undefined') {
      document.addEventListener('visibilitychange', shown);
      offs.push(() => document.removeEventListener('visibilitychange', shown));
    }
    return () => {
      for (const off of offs) off();
    };
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
