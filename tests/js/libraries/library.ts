// The interface of an adapter of the behaviour table.
import type { ReactNode } from 'react';
import type { QueryClientLike } from '../../../js/refetch/query-cache.js';

/** What the behaviour table mounts: one component that shows the version of a query. */
export interface RowProps {
  /** Another key is another query. */
  name: string;
  /** False: switched off by its owner, in the library's own way. */
  on: boolean;
}

/** One mounted app of a library, with a cache of its own. */
export interface App {
  Provider(props: { children: ReactNode }): ReactNode;
  Row(props: RowProps): ReactNode;
  /**
   * Starts a fetch of the mounted query, as other code of the app would; undefined if the library
   * has no way.
   */
  fetch?(name: string): unknown;
  /** For `<SSEProvider queryClient>`. */
  queryClient?: QueryClientLike;
  /** Ends timers. */
  end?(): void;
}

/** Asks the server for the version of a name. */
export type Load = (name: string) => Promise<{ version: number }>;

/**
 * A library, as the behaviour table sees it: everything it asks of the network goes through `load`.
 */
export interface Library {
  readonly name: string;
  /** Where it costs more requests than the table allows, by column. */
  readonly costs?: Record<string, number>;
  app(load: Load): App;
}

export const text = (data: { version: number } | undefined) => (data ? `v${data.version}` : 'none');
