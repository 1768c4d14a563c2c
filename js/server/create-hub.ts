// The hub inside a process of Node, Bun or Deno.
import type { Updates, UpdateType } from '../model/update.js';
import { HubError, isHubError } from './errors.js';
import { answerNode } from './http/node.js';
import { Counters, Router } from './http/router.js';
import { answerWeb } from './http/web.js';
import { HubInstance } from './hub/instance.js';
import type { NodeRequest, NodeResponse } from './hub/node-sink.js';
import { runtimeTimers } from './hub/scheduler.js';
import { Streams } from './hub/streams.js';
import { UpdatesOfHub } from './hub/updates.js';
import { type HubMetrics, metricsOf, prometheus } from './metrics.js';
import { type CheckedOptions, checkOptions, type HubOptions, type User } from './options.js';
import { secretOf } from './secret.js';
import { TokenIssuer } from './tokens/index.js';
import type { AnyUpdate, Audience, CloseOptions, NotifyOptions, UpdateService } from './types.js';

/** How long streams of a hub that closes may stay away, in milliseconds: each another time. */
const SPREAD_RETURN = 1_000;
const DRAIN = 5_000;

/** A hub in this process: an {@link UpdateService}, and the routes that browsers connect to. */
export interface TinysseHub<U = Updates> extends UpdateService<U> {
  /**
   * Answers a request of the web platform: for Hono, Next, Bun, Deno, SvelteKit, Nuxt. A path that
   * the hub does not have is answered with 404.
   */
  fetch(request: Request): Promise<Response>;

  /**
   * Answers a request of node:http: for Express, Fastify, tRPC standalone. A path that the hub
   * does not have goes to `next`, or is answered with 404 without one.
   */
  node(request: NodeRequest, response: NodeResponse, next?: (error?: unknown) => void): void;

  /** Returns a token for a user whom the application vouches for: for a login of your own. */
  issueToken(user: User): Promise<string>;

  /**
   * Ends the streams and tokens of a user, of a login (`session` of `identify`), or all that were
   * issued before a time in seconds since 1970. Returns how many streams ended.
   */
  revoke(whom: { user: string } | { jti: string } | { before: number }): number;

  /** Asks the option `rights` again for the open streams of a user, or all. Returns how many changed. */
  rightsChanged(user?: string): Promise<number>;

  /** The head of the log: read it before the data of an answer, and send it as `Tinysse-Cursor`. */
  cursor(): string;

  /** Returns what the hub counts. */
  metrics(): HubMetrics;

  /** Returns the same in the text format of Prometheus. */
  metricsText(): string;
}

/**
 * Makes a hub in this process.
 *
 * ```ts
 * const hub = createHub<{ projects: undefined }>({
 *   secret: process.env.TINYSSE_SECRET,
 *   identify: ({ node }) => node?.session?.user ?? null,
 * });
 * app.use(hub.node);
 * hub.notify('projects');
 * ```
 *
 * Throws a {@link HubError} with the code `options`, whose `option` is the name of what is wrong.
 */
export function createHub<U = Updates>(options: HubOptions = {}): TinysseHub<U> {
  return new Hub<U>(checkOptions(options));
}

class Hub<U> implements TinysseHub<U> {
  readonly #options: CheckedOptions;
  readonly #streams: Streams;
  readonly #updates: UpdatesOfHub<U>;
  readonly #issuer: TokenIssuer;
  readonly #router: Router;
  readonly #counters = new Counters();
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  constructor(options: CheckedOptions) {
    this.#options = options;
    this.#issuer = new TokenIssuer({
      secret: options.keys === undefined ? secretOf(options.secret) : options.secret,
      keys: options.keys,
      issuer: options.issuer,
      ttl: options.tokenTtl,
      singleUse: options.singleUse,
    });
    this.#updates = new UpdatesOfHub<U>(() => this.#streams, options.onError);
    this.#streams = new Streams({
      timers: runtimeTimers,
      create: () => new HubInstance(options.settings, random48(), random48()),
      flushed: (updates) => this.#updates.flushed(updates),
      onError: (error) => this.#updates.report(error),
      changed: () => {
        this.#updates.look();
        if (this.#streams.count === 0) this.#emptied?.();
      },
      renewed: () => this.#updates.renewed(),
    });
    this.#router = new Router({
      options,
      streams: this.#streams,
      updates: this.#updates,
      issuer: this.#issuer,
      counters: this.#counters,
      isClosing: () => this.#closing !== undefined,
    });
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  notify<T extends UpdateType<U>>(type: T, options?: NotifyOptions<U[T]>): void {
    try {
      this.#updates.publish(type, options);
    } catch (error) {
      this.#updates.report(error);
    }
  }

  async publish<T extends UpdateType<U>>(type: T, options?: NotifyOptions<U[T]>): Promise<string> {
    return this.#updates.publish(type, options);
  }

  subscribe(listener: (update: AnyUpdate<U>) => void): () => void {
    return this.#updates.subscribe(listener);
  }

  watch(type: UpdateType<U>, to: readonly Audience[], listener: (seen: boolean) => void): () => void {
    return this.#updates.watch(type, to, listener);
  }

  // A property, not a method: frameworks take it off the hub.
  fetch = (request: Request): Promise<Response> => answerWeb(this.#router, request);

  node = (request: NodeRequest, response: NodeResponse, next?: (error?: unknown) => void): void => {
    if (!answerNode(this.#router, request, response, next !== undefined)) next?.();
  };

  issueToken(user: User): Promise<string> {
    return this.#issuer.issue(user);
  }

  revoke(whom: { user: string } | { jti: string } | { before: number }): number {
    return this.#router.revoke(whom);
  }

  rightsChanged(user?: string): Promise<number> {
    return this.#router.rightsChanged(user);
  }

  cursor(): string {
    return this.#streams.read((hub) => hub.cursor());
  }

  metrics(): HubMetrics {
    const counts = this.#streams.read((hub) => hub.counts());
    return metricsOf(counts, this.#counters, this.#updates.published, this.#updates.refused);
  }

  metricsText(): string {
    return prometheus(this.metrics());
  }

  close({ drain = DRAIN }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(drain);
    return this.#closing;
  }

  async #close(drain: number): Promise<void> {
    const streams = this.#streams;
    // What windows hold is published; nothing is accepted any more.
    const held = streams.call((hub) => hub.flush(streams.now(), true));
    this.#updates.flushed(held);
    this.#updates.isClosed = true;
    this.#closed.abort();
    for (const stream of streams.all()) {
      const wait = this.#options.settings.retry + streams.read((hub) => hub.jitter(SPREAD_RETURN));
      streams.bye(stream, 'drain', wait, wait);
    }
    streams.flush();
    if (streams.count > 0 && drain > 0) await this.#gone(drain);
    streams.stop();
  }

  /** Resolves when all streams have ended, or after `ms` milliseconds. */
  #gone(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** 48 random bits, as two halves. */
function random48(): [number, number] {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return [high & 0xffff, low];
}

export { HubError, isHubError };
