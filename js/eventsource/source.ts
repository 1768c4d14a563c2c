// The EventSource class: its connection from the first request to the last.

// biome-ignore assist/source/organizeImports: with this one first the bundle compresses better
import { address, ask, bytesOf, type End, classifyResponse, open, request } from './request.js';

import { messageOf, SseError } from '../model/errors.js';
import { EventSourceErrorEvent } from './event.js';
import { defineConstants, defineHandlers, nameIt } from './idl.js';
import { Backoff } from './backoff.js';
import { Parser, CHUNK_BYTES } from './parser.js';
import type { Target } from './target.js';
import { queueTask, task } from './tasks.js';
import type { EventSourceInit, EventSourceTokenAsk } from './types.js';

const [CONNECTING, OPEN, CLOSED] = [0, 1, 2] as const;

/** The reconnection time until a server sets another, in milliseconds. */
const RETRY_DEFAULT_MS = 3_000;
/** The time after which a stream counts as stable, in milliseconds. */
const STABLE_AFTER_MS = 2_000;
/**
 * The least reconnection time with which a server may end each stream after an event, without
 * backoff; milliseconds.
 */
const FREE_RETRY_MS = 1_000;
/** Refused tokens in a row after which the source closes. */
const MAX_REFUSALS = 8;
/** The most bytes of a line or an event, by default. */
const EVENT_LIMIT_DEFAULT = 2 ** 27;
/** The most events that wait to be dispatched. */
const MAX_WAITING_EVENTS = 64;
const none = new Uint8Array();

type Reader = Pick<ReadableStreamDefaultReader<unknown>, 'read' | 'cancel'>;

/** Handed from `fromReadableStream` to the constructor. */
let handed: Reader | undefined;

/**
 * The `EventSource` of the web platform, over `fetch`: in windows and in every kind of worker, with
 * headers, tokens that are renewed, and errors that describe what happened.
 *
 * ```ts
 * const source = new EventSource('/events', { token: () => getToken() });
 * source.onmessage = (event) => console.log(event.data, event.lastEventId);
 * source.onerror = (event) => console.warn(event.message, event.status);
 * ```
 *
 * Throws a `SyntaxError` (`DOMException`) for a URL that cannot be parsed. Everything else that
 * goes wrong is an `error` event. Source: WHATWG HTML, §9.2; `fromReadableStream`, `lastEventId`,
 * `reconnectionTime` and `reset` follow whatwg/html pull request 12272.
 */
export class EventSource extends (EventTarget as { new (): Target; prototype: Target }) {
  /**
   * The {@link readyState} before the first connection is open, and while the next one is awaited.
   */
  declare static readonly CONNECTING: 0;
  /** The {@link readyState} of an open connection. */
  declare static readonly OPEN: 1;
  /** The {@link readyState} after `close()`, and after a failure that is final. */
  declare static readonly CLOSED: 2;
  /** The same as {@link EventSource.CONNECTING} of the class. */
  declare readonly CONNECTING: 0;
  /** The same as {@link EventSource.OPEN} of the class. */
  declare readonly OPEN: 1;
  /** The same as {@link EventSource.CLOSED} of the class. */
  declare readonly CLOSED: 2;
  /** Called when a connection is open. */
  declare onopen: ((event: Event) => void) | null;
  /**
   * Called for each event without a type of its own. Events with a type need `addEventListener`.
   */
  declare onmessage: ((event: MessageEvent<string>) => void) | null;
  /** Called when a connection was lost, or failed for good: see {@link EventSourceErrorEvent}. */
  declare onerror: ((event: EventSourceErrorEvent) => void) | null;

  readonly #url: string;
  readonly #init: EventSourceInit;
  readonly #limit: number;
  readonly #backoff = new Backoff();
  /** Aborted when the source is closed, by the application or by itself. */
  readonly #life = new AbortController();
  #connection = new AbortController();
  #reader: Reader | undefined;
  #parser: Parser | undefined;
  #readyState: 0 | 1 | 2 = CONNECTING;
  #lastEventId = '';
  #retry: number | undefined;
  #refusals = 0;
  /** The page is in the back/forward cache. */
  #hidden = false;
  /** The connection was given up for that cache, which is not reported. */
  #quiet = false;
  #wake = () => {};

  // With a default, as in the standard, the class has the `length` 1.
  constructor(url: string | URL, init: EventSourceInit = {}) {
    super();
    // biome-ignore lint/complexity/noArguments: the standard distinguishes no argument from one that is undefined
    if (arguments.length === 0) throw new TypeError('EventSource needs a URL');
    this.#init = { ...init };
    this.#limit = this.#init.limit ?? EVENT_LIMIT_DEFAULT;
    this.#reader = handed;
    handed = undefined;
    this.#url = this.#reader ? `${url}` : address(`${url}`);
    void (this.#reader ? this.#readAll(this.#reader) : this.#run());
  }

  /**
   * A source that reads a stream of bytes instead of connecting. Its `url` is `about:event-stream`;
   * it never reconnects, and the end of the stream closes it. Pipe several streams through one
   * `TransformStream` to go on, and call {@link reset} between them.
   *
   * ```ts
   * const { body } = await fetch('/events', { method: 'POST' });
   * if (!body) throw new Error('there is no body');
   * const source = EventSource.fromReadableStream(body);
   * ```
   *
   * Throws a `TypeError` if the stream is locked.
   */
  static fromReadableStream(stream: ReadableStream<Uint8Array | ArrayBuffer>): EventSource {
    handed = stream.getReader();
    return new EventSource('about:event-stream');
  }

  /** The URL that the source was made with, absolute. */
  get url(): string {
    return this.#url;
  }

  /** True if cookies are sent to other origins: the member of {@link EventSourceInit}. */
  get withCredentials(): boolean {
    return Boolean(this.#init.withCredentials);
  }

  /** {@link CONNECTING}, {@link OPEN} or {@link CLOSED}. */
  get readyState(): 0 | 1 | 2 {
    return this.#readyState;
  }

  /** The id from which a reconnect resumes; empty if there is no such id. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Milliseconds between the end of a connection and the next, as the server last chose them. */
  get reconnectionTime(): number {
    return this.#retry ?? RETRY_DEFAULT_MS;
  }

  /** Ends the connection. No event follows. */
  close(): void {
    this.#readyState = CLOSED;
    this.#life.abort();
    this.#connection.abort();
    this.#reader?.cancel().catch(() => {});
    this.#wake();
  }

  /**
   * Discards an event of which only a part came, before another stream is piped in. Without effect
   * on a source that connects by itself.
   */
  reset(): void {
    if (this.#reader) this.#parser?.reset();
  }

  async #run(): Promise<void> {
    await undefined; // nothing happens before the constructor has returned
    this.#watch();
    let reason: EventSourceTokenAsk['reason'] = 'initial';
    for (;;) {
      const end = await this.#connect(reason);
      if (this.#closed()) return;
      reason = end.refused ? 'rejected' : 'reconnect';
      // That a token is over is no news while there is another one.
      const silent = this.#quiet || Boolean(end.refused && this.#refusals === 1);
      this.#quiet = false;
      await task(() => this.#lost(end, silent));
      if (this.#closed()) return;
      await this.#pause(silent ? 0 : this.#backoff.delay(this.reconnectionTime, this.#retry !== undefined));
      if (this.#closed()) return;
    }
  }

  /** One connection, from the token to its end. */
  async #connect(reason: EventSourceTokenAsk['reason']): Promise<End> {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const { token: provider, fetch: get = fetch } = this.#init;
    try {
      this.#parser = new Parser(this.#limit);
      const token = provider && (await ask(provider, { reason, signal }));
      this.#backoff.started(performance.now());
      const asked = request(this.#init, this.#lastEventId, token, signal);
      const response = await open(get, this.#url, asked, reason === 'initial');
      const wrong = classifyResponse(response, typeof provider === 'function');
      if (wrong) return this.#over(wrong);
      await task(() => this.#opened());
      const opened = performance.now();
      const origin = new URL(response.url || this.#url).origin;
      const early = response.body && (await this.#read(response.body.getReader(), origin));
      if (performance.now() - opened >= STABLE_AFTER_MS) {
        this.#backoff.stable();
        this.#refusals = 0;
      }
      return this.#over(early ?? { error: new SseError('network', 'the stream ended', { retryable: true }) });
    } catch (thrown) {
      return this.#over(this.#endOf(thrown));
    } finally {
      // What is left of a body would keep one of the browser's few connections.
      this.#connection.abort();
      this.#parser?.free();
      this.#parser = undefined;
    }
  }

  /** Counts refusals; the last one that is permitted is fatal. */
  #over(end: End): End {
    if (!end.refused) return end;
    this.#refusals += 1;
    return this.#refusals < MAX_REFUSALS ? end : { fatal: true, error: end.error };
  }

  /** Returns how a connection ended that threw. */
  #endOf(thrown: unknown): End {
    if (thrown instanceof SseError) return { fatal: true, error: thrown };
    if (typeof thrown === 'object' && thrown && 'error' in thrown) return thrown as End;
    const message = messageOf(thrown);
    // "If res is an aborted network error, then fail the connection": aborted by the browser, as by
    // `window.stop()`, not by us.
    const aborted = (thrown as Error | null)?.name === 'AbortError' && !this.#connection.signal.aborted;
    // "unless the user agent knows that to be futile": nothing but these two is behind a network.
    const fatal = aborted || !/^https?:/.test(this.#url);
    return { fatal, error: new SseError('network', message, { retryable: !fatal, cause: thrown }) };
  }

  /** Reads a body to its end. Returns why it ended early, if it did. */
  async #read(reader: Reader, origin: string): Promise<End | undefined> {
    const parser = this.#parser as Parser;
    let refused: End | undefined;
    /** Events that wait, and bytes that were read since the first of them. */
    let [waiting, ahead] = [0, 0];
    const dispatch = (type: string, data: string, lastEventId: string, before: string) => {
      waiting -= 1;
      if (this.#closed() || refused) return;
      const event = new MessageEvent(type, { data, origin, lastEventId });
      if (typeof this.#init.token === 'function' && this.#init.unauthorized?.(event)) {
        this.#lastEventId = before; // whatever was read since
        const error = new SseError('unauthorized', 'the server refused the token', { retryable: true });
        refused = { refused: true, error };
        reader.cancel().catch(() => {});
        return;
      }
      if (type === 'message') this.#refusals = 0;
      if ((this.#retry ?? 0) >= FREE_RETRY_MS) this.#backoff.stable();
      this.dispatchEvent(event);
    };
    for (;;) {
      const { done, value } = await reader.read().catch(async (thrown) => {
        await task(() => {}); // what came before is dispatched, and may give the reason
        if (refused) return { done: true, value: undefined };
        throw thrown;
      });
      if (refused || this.#closed()) return refused;
      const bytes = done ? none : bytesOf(value);
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        const chunk = bytes.length > CHUNK_BYTES ? bytes.subarray(at, at + CHUNK_BYTES) : bytes;
        if (waiting > 0) ahead += chunk.length;
        else ahead = 0;
        // Ids and reconnection times hold as soon as they are parsed.
        for (const { retry, id, kind, data } of parser.feed(chunk)) {
          this.#retry = retry ?? this.#retry;
          const before = this.#lastEventId;
          const lastEventId = id ?? before;
          this.#lastEventId = lastEventId;
          if (data === undefined) continue;
          waiting += 1;
          queueTask(() => dispatch(kind, data, lastEventId, before));
        }
        // Not much more is read before it is dispatched, so that a slow listener holds the server
        // back, not the page's memory.
        if (parser.tooLarge || waiting >= MAX_WAITING_EVENTS || ahead >= CHUNK_BYTES) await task(() => {});
        if (refused || this.#closed()) return refused;
        if (parser.tooLarge) {
          const error = new SseError('protocol', `a line or event of the stream is larger than ${this.#limit} bytes`);
          return { fatal: true, error };
        }
      }
      if (done) {
        await task(() => {});
        return refused;
      }
    }
  }

  /** For a source that was made of a stream. */
  async #readAll(reader: Reader): Promise<void> {
    let error = new SseError('network', 'the stream ended');
    try {
      this.#parser = new Parser(this.#limit);
      await task(() => this.#opened());
      error = (await this.#read(reader, 'null'))?.error ?? error;
    } catch (thrown) {
      error = this.#endOf(thrown).error;
    }
    reader.cancel().catch(() => {});
    if (!this.#closed()) await task(() => this.#lost({ fatal: true, error }, false));
    this.#parser?.free();
    this.#parser = undefined;
  }

  /** "Announce the connection". */
  #opened(): void {
    if (this.#closed()) return;
    this.#readyState = OPEN;
    this.dispatchEvent(new Event('open'));
  }

  /** "Reestablish the connection", or "fail the connection". */
  #lost({ fatal, error }: End, silent: boolean): void {
    if (this.#closed()) return;
    this.#readyState = fatal ? CLOSED : CONNECTING;
    if (fatal) this.#life.abort();
    const { message, status } = error;
    if (fatal || !silent) this.dispatchEvent(new EventSourceErrorEvent('error', { message, status, error }));
  }

  #closed(): boolean {
    return this.#readyState === CLOSED;
  }

  /**
   * Waits; less long if the network is back or the page is shown again, longer if there were too
   * many connections lately.
   */
  async #pause(delay: number): Promise<void> {
    let left = delay;
    for (;;) {
      if (left > 0) {
        await new Promise<void>((done) => {
          const timer = setTimeout(done, left);
          this.#wake = () => {
            clearTimeout(timer);
            done();
          };
        });
      }
      while (this.#hidden && !this.#closed()) {
        await new Promise<void>((done) => {
          this.#wake = done;
        });
      }
      left = this.#backoff.hold(performance.now());
      if (left === 0 || this.#closed()) return;
    }
  }

  #watch(): void {
    const { signal } = this.#life;
    const on = (type: string, listen: (event: { persisted?: boolean }) => void) =>
      globalThis.addEventListener?.(type, listen as (event: Event) => void, { signal });
    on('online', () => this.#wake());
    // A page with a connection cannot stay in the back/forward cache, so it gives it up there.
    on('pagehide', ({ persisted }) => {
      if (!persisted) return;
      this.#hidden = true;
      this.#quiet = this.#parser !== undefined;
      this.#connection.abort();
    });
    on('pageshow', () => {
      this.#hidden = false;
      this.#wake();
    });
  }
}

defineConstants(EventSource, { CONNECTING, OPEN, CLOSED });
defineHandlers(EventSource.prototype, ['open', 'message', 'error']);
nameIt(EventSource, 'EventSource');
