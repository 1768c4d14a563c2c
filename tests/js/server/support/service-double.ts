// An UpdateService in memory: it keeps what was published, and a test decides which types are seen.

import type { UpdateType } from '../../../../js/model/update.js';
import { HubError } from '../../../../js/server/errors.js';
import type {
  AnyUpdate,
  Audience,
  NotifyOptions,
  PublishedUpdate,
  UpdateService,
} from '../../../../js/server/types.js';

interface Watch {
  readonly type: string;
  readonly to: readonly Audience[];
  readonly listener: (seen: boolean) => void;
}

/** An {@link UpdateService} whose log is a list. */
export class ServiceDouble<U = Record<string, unknown>> implements UpdateService<U> {
  /** Everything that was published, in order. Data went through JSON, as they do in a hub. */
  readonly published: PublishedUpdate[] = [];
  /** What a hub passes to its option `onError`. */
  readonly errors: HubError[] = [];
  readonly #listeners = new Set<(update: AnyUpdate<U>) => void>();
  readonly #watches = new Set<Watch>();
  readonly #seen = new Set<string>();
  readonly #closed = new AbortController();

  /** `seen` are the types that open streams may receive at first. */
  constructor(...seen: UpdateType<U>[]) {
    for (const type of seen) this.#seen.add(type);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The audiences of those who watch a type now. */
  watching(type: UpdateType<U>): readonly (readonly Audience[])[] {
    return [...this.#watches].filter((watch) => watch.type === type).map(({ to }) => to);
  }

  /** A stream that may receive the type opens, or the last one closes. */
  see(type: UpdateType<U>, seen: boolean): void {
    if (this.#seen.has(type) === seen) return;
    if (seen) this.#seen.add(type);
    else this.#seen.delete(type);
    for (const watch of [...this.#watches]) if (watch.type === type) watch.listener(seen);
  }

  notify<T extends UpdateType<U>>(type: T, options?: NotifyOptions<U[T]>): void {
    try {
      this.#publish(type, options);
    } catch (error) {
      this.errors.push(error as HubError);
    }
  }

  async publish<T extends UpdateType<U>>(type: T, options?: NotifyOptions<U[T]>): Promise<string> {
    return this.#publish(type, options);
  }

  subscribe(listener: (update: AnyUpdate<U>) => void): () => void {
    const own = (update: AnyUpdate<U>) => listener(update);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  watch(type: UpdateType<U>, to: readonly Audience[], listener: (seen: boolean) => void): () => void {
    const watch = { type, to, listener };
    this.#watches.add(watch);
    listener(this.#seen.has(type));
    return () => this.#watches.delete(watch);
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  #publish(type: UpdateType<U>, { data, key, to, origin, except: _ }: NotifyOptions = {}): string {
    if (this.#closed.signal.aborted) throw new HubError('closed', `${type} was not published: the service is closed`);
    const audiences = to === undefined ? (['all'] as const) : typeof to === 'string' ? [to] : to;
    if (audiences.length === 0) throw new HubError('bad_audience', '`to` names 1 to 100 audiences, or is left out');
    const json: string | undefined = data === undefined ? undefined : JSON.stringify(data);
    if (data !== undefined && json === undefined) throw new HubError('bad_field', `data is no JSON: a ${typeof data}`);
    const parsed: unknown = json === undefined ? undefined : JSON.parse(json);
    const id = `double.${this.published.length + 1}`;
    const update: PublishedUpdate = { type, data: parsed, key, to: audiences, origin, id, at: Date.now() };
    this.published.push(update);
    for (const listener of [...this.#listeners]) listener(update as AnyUpdate<U>);
    return id;
  }
}
