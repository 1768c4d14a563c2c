// Query libraries, recognised by what their results expose. None of them is imported.
import type { Outcome, View } from './query.js';

/** A result with `refetch`: of TanStack Query, tRPC, RTK Query, Apollo Client, or of your own. */
export interface Refetchable {
  /** Starts a request. Called without arguments, since a library may take them for variables. */
  refetch(): unknown;
}

/** A result with `mutate` instead: of SWR. */
export interface Mutable {
  /** Fetches again; without a key it does nothing. */
  mutate(): PromiseLike<unknown>;
}

/** The tuple of urql. */
export type Executable = readonly [
  state: { readonly fetching: boolean; readonly stale: boolean },
  execute: (options?: { requestPolicy?: 'network-only' }) => void,
];

/** Whatever the libraries expose; what a result does not have is `undefined`. */
interface Exposed {
  readonly refetch?: (options?: { cancelRefetch: boolean }) => unknown;
  readonly mutate?: () => PromiseLike<unknown>;
  readonly data?: unknown;
  readonly dataUpdatedAt?: number;
  readonly fetchStatus?: string;
  readonly fetching?: boolean;
  readonly isEnabled?: boolean;
  readonly isFetching?: boolean;
  readonly isLoading?: boolean;
  readonly isUninitialized?: boolean;
  readonly isValidating?: boolean;
  readonly loading?: boolean;
  readonly networkStatus?: number;
  readonly observable?: { readonly options: { readonly fetchPolicy?: string }; getCurrentResult(save: false): Exposed };
  readonly operation?: unknown;
  readonly stale?: boolean;
  readonly startedTimeStamp?: number;
  readonly status?: string;
}

/** SWR components that wait for the first data. */
const unloaded = {};

/**
 * What a result exposes of its query. TanStack Query and SWR render again when something changes
 * that was read here.
 */
export function viewOf(query: unknown): View {
  if (Array.isArray(query)) {
    const { fetching, stale, data, operation } = query[0] as Exposed;
    return { enabled: Boolean(operation), fetching: Boolean(fetching || stale), data, group: data ?? unloaded };
  }
  const result = query as Exposed;
  const { observable } = result;
  if (observable) {
    // Apollo Client 3 does not render the status of a refetch unless asked to, but it is there to
    // be read.
    const { networkStatus = 7, data } = observable.getCurrentResult(false);
    const enabled = observable.options.fetchPolicy !== 'standby';
    return { enabled, fetching: enabled && networkStatus < 7, data, silent: true };
  }
  const {
    // TanStack Query has `isEnabled` since a minor version. Before it only a query without data is
    // known to be disabled.
    isEnabled = !result.isUninitialized && (result.status !== 'pending' || result.fetchStatus !== 'idle'),
    isFetching = result.isValidating ?? result.fetching ?? result.loading ?? result.isLoading,
  } = result;
  return {
    enabled: isEnabled,
    fetching: isFetching === true,
    updatedAt: result.dataUpdatedAt,
    startedAt: result.startedTimeStamp,
    // Data that a wrapper makes at each render is other data each time, so only the getter of SWR
    // itself is trusted.
    data: result.mutate && Object.getOwnPropertyDescriptor(result, 'data')?.get ? result.data : undefined,
    // RTK Query joins whatever is in flight.
    group: 'isUninitialized' in result || ofTanStack(result) ? undefined : (result.data ?? unloaded),
  };
}

/** Fetches the query again, by the means that its result exposes. */
export function fetchAgain(query: unknown): PromiseLike<Outcome> {
  if (Array.isArray(query)) {
    query[1]({ requestPolicy: 'network-only' });
    return Promise.resolve(undefined);
  }
  const result = query as Exposed;
  if (!result.refetch)
    return Promise.resolve(result.mutate?.()).then((data) => (data === undefined ? null : undefined));
  const last = result.startedTimeStamp;
  return Promise.resolve(ofTanStack(result) ? result.refetch({ cancelRefetch: false }) : result.refetch()).then(
    (answer) => {
      const started = (answer as Exposed | undefined)?.startedTimeStamp;
      return started === last ? started && null : started;
    },
  );
}

/**
 * True if `refetch` is TanStack's own, bound to an observer, and not a wrapper: asked not to
 * cancel, it joins.
 */
function ofTanStack(result: Exposed): boolean {
  return 'fetchStatus' in result && result.refetch?.name === 'bound refetch';
}
