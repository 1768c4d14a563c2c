// What an update is, and how an application names its own.

/**
 * Names your updates once, for every hook and client of the app, by declaration merging.
 *
 * ```ts
 * declare module 'tinysse' {
 *   interface Register {
 *     updates: { projects: undefined; 'compute.progress': { id: string; percent: number } };
 *   }
 * }
 * ```
 *
 * Without it a type is any `string` and its data `unknown`. A library, which must not speak for the
 * whole app, gives the map to {@link createClient} instead: `createClient<MyUpdates>(...)`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: declaration merging needs an interface, and needs it empty.
export interface Register {}

/** Update type to data type: the registered map, or any name with `unknown` data. */
export type Updates = Register extends { updates: infer U extends object } ? U : Record<string, unknown>;

/** The name of an update, such as `'projects'`. */
export type UpdateType<U = Updates> = Extract<keyof U, string>;

type Below<T extends string> = T extends `${infer Head}.${infer Tail}` ? `${Head}.*` | `${Head}.${Below<Tail>}` : never;

/**
 * What can be subscribed to: one name, everything below a name (`'compute.*'`), or everything
 * (`'*'`).
 *
 * On a plain server (one that sends no `tinysse.hello`) the native `EventSource` delivers only
 * events whose names were asked for. There `'*'` and `'compute.*'` receive only what another
 * subscription names; events without a name come as `'message'`. Name each type, or use
 * `transport: 'fetch'`, which reads every event.
 */
export type Pattern<U = Updates> = '*' | UpdateType<U> | Below<UpdateType<U>>;

/** The names that a pattern covers. */
export type MatchingTypes<P extends string, U = Updates> = P extends '*'
  ? UpdateType<U>
  : P extends `${infer Head}.*`
    ? string extends UpdateType<U>
      ? string
      : Extract<UpdateType<U>, `${Head}.${string}`>
    : Extract<P, UpdateType<U>>;

interface UpdateOf<T extends string, D> {
  /** What changed. */
  readonly type: T;
  /** The small payload, if the publisher sent one. */
  readonly data: D;
  /**
   * Distinguishes the things of one type; of updates with the same type and key only the latest
   * matters.
   */
  readonly key?: string;
  /** {@link Client.origin} of the tab that caused the change. */
  readonly origin?: string;
  /**
   * Spread refetches uniformly over this many milliseconds; the hub asks it when many clients
   * listen.
   */
  readonly spread?: number;
  /** When it was published, in milliseconds since 1970. */
  readonly at?: number;
  /**
   * Its place in the log of the hub, `epoch.seq`. Filtering leaves holes: never infer a loss from
   * numbers.
   */
  readonly id: string;
  /** True if it was published while we were away and delivered late. */
  readonly replayed: boolean;
}

/**
 * One notification: something changed.
 *
 * ```ts
 * sse.subscribe('compute.progress', (update: Update<'compute.progress'>) => bar.set(update.data.percent));
 * ```
 */
export type Update<T extends string = UpdateType, U = Updates> = {
  [K in T]: UpdateOf<K, K extends keyof U ? U[K] : unknown>;
}[T];
