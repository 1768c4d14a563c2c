// What every part of `tinysse/server` speaks of: updates, audiences, the service that publishes.
import type { Updates, UpdateType } from '../model/update.js';

/** Who receives an update: everybody, one user, one role, or the members of a channel. */
export type Audience = 'all' | `user:${string}` | `role:${string}` | `channel:${string}`;

/** What an update has beside its type. All of it is optional. */
export interface NotifyOptions<D = unknown> {
  /** A small payload, as JSON. Clients that only refetch need none. */
  data?: D | undefined;
  /**
   * Distinguishes the things of one type, such as an order number; of updates with the same type and
   * key only the latest matters. At most 255 bytes.
   */
  key?: string | undefined;
  /** Who receives it: one audience or several. Everybody by default. */
  to?: Audience | readonly Audience[] | undefined;
  /** `client.origin` of the tab that caused the change, as its request carried it. At most 255 bytes. */
  origin?: string | undefined;
  /** The name of the one stream that does not receive it (`client` of its hello). At most 255 bytes. */
  except?: string | undefined;
}

/** An update in the log. */
export interface PublishedUpdate<T extends string = string, D = unknown> {
  /** What changed. */
  readonly type: T;
  /** The payload, if there is one. */
  readonly data?: D | undefined;
  /** The key, if there is one. */
  readonly key?: string | undefined;
  /** Who receives it; `['all']` for everybody. */
  readonly to: readonly Audience[];
  /** The tab that caused the change, if it is known. */
  readonly origin?: string | undefined;
  /** The place in the log, `epoch.seq`. */
  readonly id: string;
  /** When it was published, in milliseconds since 1970. */
  readonly at: number;
}

/** Any update of a map of updates. */
export type AnyUpdate<U = Updates> = { [T in UpdateType<U>]: PublishedUpdate<T, U[T]> }[UpdateType<U>];

/**
 * Publishes what changed. A hub in this process and a publisher to a `tinysse-server` both are one.
 *
 * ```ts
 * updateService.notify('projects');
 * updateService.notify('compute', { key: job.id, to: `user:${job.owner}`, data: { percent: 40 } });
 * ```
 */
export interface UpdateService<U = Updates> {
  /**
   * Publishes that something of this type changed. Never throws and never waits: it is made to be
   * called behind a mutation that has happened. What is wrong with the update, or prevents it, goes
   * to the option `onError`.
   */
  notify<T extends UpdateType<U>>(type: T, options?: NotifyOptions<U[T]>): void;

  /**
   * Publishes an update and waits until the log has it. Returns its id, or an empty string if the
   * update waits in the window of its type (see `coalesce`).
   *
   * Rejects with a {@link HubError} if the update is refused.
   */
  publish<T extends UpdateType<U>>(type: T, options?: NotifyOptions<U[T]>): Promise<string>;

  /**
   * Calls a listener with each update from now on, in the order of the log. Returns a function that
   * ends that. Exceptions of a listener go to `onError`.
   */
  subscribe(listener: (update: AnyUpdate<U>) => void): () => void;

  /**
   * Calls a listener with whether any open stream may receive updates of this type: at once, and
   * whenever that changes. A service that cannot know reports `true`. Returns a function that ends
   * that.
   */
  watch(type: UpdateType<U>, to: readonly Audience[], listener: (seen: boolean) => void): () => void;

  /** Aborts when the service is closed. */
  readonly closed: AbortSignal;

  /** Closes the service. What was accepted is published first, within the time given. */
  close(options?: CloseOptions): Promise<void>;
}

/** How a service ends. */
export interface CloseOptions {
  /** How long it may take, in milliseconds. 5,000 by default. */
  drain?: number | undefined;
}
