// A query whose requests are settled by the test.
import { tick } from '../../../js/refetch/logical-clock.js';
import type { Query, View } from '../../../js/refetch/query.js';
import type { VirtualWorld } from './world.js';

interface Fetch {
  readonly promise: Promise<undefined>;
  readonly resolve: (other?: Promise<undefined>) => void;
}

/** Which parts of a query differ; `exact` decides what its view knows. */
export type QueryOptions = Partial<Query> & { exact?: boolean };

/**
 * A query as query-core has it: at most one fetch in flight, which a second call joins. Remembers
 * every start.
 */
export class ModelQuery {
  readonly starts: { tick: number; at: number; ours: boolean }[] = [];
  /** Calls of `fetch` that found a fetch under way. */
  joins = 0;
  duration = () => 150;
  failing = () => false;
  updatedAt = 0;
  readonly #world: VirtualWorld;
  readonly #changed = new Set<() => void>();
  #flight: Fetch | undefined;

  constructor(world: VirtualWorld) {
    this.#world = world;
  }

  get fetching(): boolean {
    return this.#flight !== undefined;
  }

  get ours(): number {
    return this.starts.filter((start) => start.ours).length;
  }

  onChange(fn: () => void): () => void {
    this.#changed.add(fn);
    return () => this.#changed.delete(fn);
  }

  fetch(ours: boolean, cancel = false): Promise<undefined> {
    if (this.#flight && !cancel) {
      this.joins += ours ? 1 : 0;
      return this.#flight.promise;
    }
    const replaced = this.#flight;
    let resolve: Fetch['resolve'] = () => {};
    const promise = new Promise<undefined>((done) => {
      resolve = (other) => done(other);
    });
    const flight: Fetch = { promise, resolve };
    this.#flight = flight;
    this.starts.push({ tick: tick(), at: this.#world.time, ours });
    this.#world.setTimeout(() => {
      if (this.#flight !== flight) return;
      this.#flight = undefined;
      if (!this.failing()) this.updatedAt = this.#world.time;
      resolve();
      this.#tell();
    }, this.duration());
    // A cancelled fetch ends with the one that took its place, as in query-core.
    replaced?.resolve(promise);
    this.#tell();
    return promise;
  }

  view(exact: boolean): View {
    const last = this.starts.at(-1) ?? { tick: 0, at: Number.NEGATIVE_INFINITY };
    return { fetching: this.fetching, updatedAt: this.updatedAt, started: exact ? last : undefined };
  }

  asQuery({ exact = true, ...over }: QueryOptions = {}): Query {
    return {
      types: ['projects'],
      fetch: () => this.fetch(true),
      view: () => this.view(exact),
      accepts: () => true,
      own: false,
      resync: true,
      minIntervalMs: 250,
      resyncJitterMs: 2000,
      onlyVisible: true,
      ...over,
    };
  }

  #tell(): void {
    for (const fn of [...this.#changed]) fn();
  }
}
