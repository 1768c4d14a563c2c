// The way into the log, and what code in this process learns of it.
import type { Updates as UpdateMap, UpdateType } from '../../model/update.js';
import { HubError } from '../errors.js';
import type { AnyUpdate, NotifyOptions } from '../types.js';
import type { LoggedFields, Receipt, UpdateFields } from './instance.js';
import type { Streams } from './streams.js';

/** Gives an update the form in which the hub takes it. Throws `bad_field` for data that is no JSON. */
export function fieldsOf(type: string, options: NotifyOptions, at: number): UpdateFields {
  const { key, to, origin, except } = options;
  return { type, data: jsonOf(options.data), key, to: listOf(to), origin, except, at };
}

function listOf(to: NotifyOptions['to']): readonly string[] | undefined {
  return typeof to === 'string' ? [to] : to;
}

function jsonOf(data: unknown): string | undefined {
  if (data === undefined) return undefined;
  try {
    const json: string | undefined = JSON.stringify(data);
    if (json !== undefined) return json;
  } catch (cause) {
    throw new HubError('bad_field', `data is no JSON: ${(cause as Error).message}`, { status: 400, cause });
  }
  throw new HubError('bad_field', `data is no JSON: a ${typeof data}`, { status: 400 });
}

interface Watch {
  readonly type: string;
  readonly to: readonly string[];
  number: number;
  seen: boolean;
  readonly listeners: Set<(seen: boolean) => void>;
}

/** Publishes, and lets code in the process follow the log and those who look. */
export class UpdatesOfHub<U = UpdateMap> {
  readonly #streams: () => Streams;
  readonly #onError: (error: HubError) => void;
  readonly #listeners = new Set<(update: AnyUpdate<U>) => void>();
  readonly #watches = new Map<string, Watch>();
  /** By type, the first 64; then `other`. */
  readonly published = new Map<string, number>();
  /** By the code of what refused them. */
  readonly refused = new Map<string, number>();
  isClosed = false;

  constructor(streams: () => Streams, onError: (error: HubError) => void) {
    this.#streams = streams;
    this.#onError = onError;
  }

  /** Publishes an update. Returns its id, or an empty text if its window holds it. */
  publish<T extends UpdateType<U>>(type: T, options: NotifyOptions<U[T]> = {}): string {
    try {
      if (this.isClosed) throw new HubError('closed', `${type} was not published: the hub is closed`);
      const fields = fieldsOf(type, options, Date.now());
      const outcome = this.#streams().call((hub) => hub.publish(this.#streams().now(), fields));
      if (!('logged' in outcome)) return '';
      this.#delivered({ ...fields, id: outcome.logged });
      return outcome.logged;
    } catch (error) {
      this.#count(this.refused, (error as HubError).code);
      throw error;
    }
  }

  /** Publishes several updates, all or none, once for each receipt. Returns their ids. */
  publishAll(updates: readonly UpdateFields[], receipt?: Receipt): string[] {
    const streams = this.#streams();
    const before = streams.read((hub) => hub.cursor());
    const ids = streams.call((hub) => hub.publishAll(streams.now(), Date.now(), updates, receipt));
    // What a receipt repeats was delivered the first time.
    if (streams.read((hub) => hub.cursor()) !== before) {
      for (const [at, update] of updates.entries()) this.#delivered({ ...update, id: ids[at] });
    }
    return ids;
  }

  /** Announces that any update may have been lost, once for each receipt. Returns the id. */
  announceEverything(receipt?: Receipt): string {
    const streams = this.#streams();
    return streams.call((hub) => hub.announceEverything(streams.now(), Date.now(), receipt));
  }

  /** Takes updates whose window ended. */
  flushed(updates: readonly LoggedFields[]): void {
    for (const update of updates) this.#delivered(update);
  }

  subscribe(listener: (update: AnyUpdate<U>) => void): () => void {
    // Its own function, so that subscribing twice with one listener is two subscriptions.
    const own = (update: AnyUpdate<U>) => listener(update);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  watch(type: string, to: readonly string[], listener: (seen: boolean) => void): () => void {
    const key = JSON.stringify([type, ...to]);
    let watch = this.#watches.get(key);
    if (!watch) {
      const number = this.#streams().call((hub) => hub.watch(type, to));
      const seen = this.#streams().read((hub) => hub.watchers(number)) > 0;
      watch = { type, to, number, seen, listeners: new Set() };
      this.#watches.set(key, watch);
    }
    const own = (seen: boolean) => listener(seen);
    watch.listeners.add(own);
    own(watch.seen);
    return () => watch.listeners.delete(own);
  }

  /** Looks whether what may be seen changed. */
  look(): void {
    for (const watch of this.#watches.values()) {
      const seen = this.#streams().read((hub) => hub.watchers(watch.number)) > 0;
      if (seen === watch.seen) continue;
      watch.seen = seen;
      for (const listener of [...watch.listeners]) this.#safely(() => listener(seen));
    }
  }

  /** Counts anew in a hub that took the place of another. */
  renewed(): void {
    for (const watch of this.#watches.values()) {
      watch.number = this.#streams().read((hub) => hub.watch(watch.type, watch.to));
    }
  }

  /** Reports an error that has no caller. */
  report(error: unknown): void {
    const known = error instanceof HubError ? error : new HubError('listener', String(error), { cause: error });
    try {
      this.#onError(known);
    } catch (thrown) {
      console.error(thrown);
    }
  }

  #delivered({ id, type, data, key, to, origin, at }: UpdateFields & { id?: string | undefined }): void {
    this.#count(this.published, type);
    if (id === undefined) {
      this.report(new HubError('hub_failed', `${type} was not logged when its window ended`));
      return;
    }
    if (this.#listeners.size === 0) return;
    const audience = to && to.length > 0 ? to : ['all'];
    const parsed: unknown = data === undefined ? undefined : JSON.parse(data);
    const update = { type, data: parsed, key, to: audience, origin, id, at } as unknown as AnyUpdate<U>;
    for (const listener of [...this.#listeners]) this.#safely(() => listener(update));
  }

  #safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(error);
    }
  }

  #count(counts: Map<string, number>, label: string): void {
    const name = counts.has(label) || counts.size < 64 ? label : 'other';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
