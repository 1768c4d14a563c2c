// The shape of the wasm module as TypeScript sees it.
import { isSseError, messageOf, SseError } from '../model/errors.js';
import type { ClientOptions, WasmSource } from '../model/options.js';
import type { Gap, Role, Snapshot } from '../model/snapshot.js';
import type { Update } from '../model/update.js';
import { chunk, delay, pause } from './chunk.js';
import { policyAdvice } from './policy.js';

/** What the wasm class is built with: the options without those of the facade. */
export type WasmOptions = Omit<
  ClientOptions,
  'closeDelay' | 'wasm' | 'signal' | 'persist' | 'log' | 'share' | 'quiet' | 'user'
> & {
  user?: string | undefined;
  /** Whose cursor `lastEventId` is; anybody's, if left out. */
  cursorUser?: string | undefined;
  /** Follow the tab that holds the connection, until asked to lead. */
  share?: boolean;
};

/** A snapshot as the wasm gives it. */
export type WasmSnapshot = Omit<Snapshot, 'error' | 'retryAt' | 'dropped' | 'role'> & {
  /** Not reported by the wasm, but by what is in front of it. */
  role?: Role;
  error: unknown;
  /** Milliseconds from now. */
  retryAt: number | null;
};

/**
 * Wraps each client of the wasm before it starts, and returns the client to use in its place, or
 * `wasm` itself.
 *
 * The plugin calls `changed` after altering the snapshot, and `forget` when another tab ended the
 * connection of this user.
 */
export type Plugin = (wasm: WasmClient, changed: () => void, forget: () => void) => WasmClient;

/** An input of the session: see `_record` in `src/web/bindings.js`. */
export type TracedInput = [
  at: number,
  word: number,
  ticket: number,
  number: number,
  wait: number,
  type: string | undefined,
  id: string | undefined,
  line: string | false | undefined,
];

/** The class that `src/web/client.rs` exports. */
export interface WasmClient {
  start(): void;
  stop(): void;
  close(): void;
  pause(): void;
  resume(): void;
  reconnect(): void;
  /** Sets the user; empty for no user. */
  setUser(user: string): void;
  forget(): void;
  subscribe(types: string | readonly string[], fn: (update: Update) => void): number;
  unsubscribe(id: number): boolean;
  onStatus(fn: ((snapshot: WasmSnapshot) => void) | undefined): void;
  onResync(fn: ((resync: { gap: Gap; types: string[] | null }) => void) | undefined): void;
  snapshot(): WasmSnapshot;
  /**
   * What it counts beyond its snapshot, and its last inputs, as a text or as they were: read by
   * `inside` in `inspect.ts`.
   */
  inspect?(): { counts: number[]; trace: string; inputs: readonly TracedInput[] };
  /**
   * Calls `fn([ticket, cursor, user])` to follow the tab that holds the connection of this user,
   * and `fn([event, id, data])` with events of an own stream. One function at a time.
   */
  onTabs?(
    fn:
      | ((what: [ticket: number, cursor: string, user: string] | [event: string, id: string, data: string]) => void)
      | undefined,
  ): void;
  /** Hold the connection, or follow; called again, follow anew. */
  lead?(lead: boolean): void;
  /**
   * Event, id and data, a line each, for the stream of a ticket, from the tab that is followed. The
   * first opens it.
   */
  hear?(ticket: number, frame: string): void;
  free(): void;
}

/** The module once it runs. */
export interface Wasm {
  SseClient: new (options: WasmOptions) => WasmClient;
}

type Transport = NonNullable<ClientOptions['transport']>;

/** A module for each transport: a page that lets the browser read the stream needs no decoder. */
const flavours = {
  eventsource: {
    glue: chunk(() => import('../wasm/glue.js'), 'initSync'),
    inlined: chunk(() => import('./inlined.js'), 'bytes'),
  },
  fetch: {
    glue: chunk(() => import('../wasm/fetch/glue.js'), 'initSync'),
    inlined: chunk(() => import('./inlined-fetch.js'), 'bytes'),
  },
};

const loading: { [transport in Transport]?: Promise<Wasm> | undefined } = {};

/** A client that waits for the module. */
export interface Waiting {
  wanted(): boolean;
  /**
   * Called after each attempt that failed and is repeated, with the failures in a row and the
   * milliseconds until the next.
   */
  failed(error: SseError, failures: number, wait: number): void;
  /** Ends the wait for the next attempt. */
  hurry(): void;
}

/**
 * Loads and compiles the module, once for the page. What the network lost is asked for again, with
 * backoff, for as long as it is wanted; after another failure the next call tries again. Rejects
 * with an {@link SseError} of the code `csp` or `wasm`.
 *
 * Inlined behind a dynamic `import()`, because that is the one layout that works in every bundler.
 */
export async function loadWasm(source?: WasmSource, transport?: Transport, waiting?: Waiting): Promise<Wasm> {
  // What is no transport is refused by the wasm, with the option's name.
  const name = transport === 'fetch' ? transport : 'eventsource';
  for (let failures = 1; ; failures++) {
    loading[name] ??= load(source, flavours[name]);
    try {
      return await loading[name];
    } catch (thrown) {
      loading[name] = undefined;
      const error = failure(thrown);
      if (!error.retryable || !waiting?.wanted()) throw error;
      const wait = delay(failures);
      const [over, end] = pause(wait);
      waiting.hurry = end;
      waiting.failed(error, failures, wait);
      await over;
      if (!waiting.wanted()) throw error;
    }
  }
}

type Flavour = (typeof flavours)[Transport];

async function load(source: WasmSource | undefined, flavour: Flavour): Promise<Wasm> {
  const [glue, module] = await Promise.all([flavour.glue().catch(lost), compile(source, flavour)]);
  glue.initSync({ module });
  return glue as unknown as Wasm;
}

async function compile(source: WasmSource | undefined, flavour: Flavour): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  let bytes = source;
  if (bytes === undefined) {
    bytes = (await flavour.inlined().catch(lost)).bytes();
  } else if (typeof bytes === 'string' || bytes instanceof URL) {
    const response = await fetch(bytes).catch(lost);
    const { status } = response;
    if (!response.ok) throw new SseError('wasm', `${bytes} answered ${status}`, { status, retryable: status > 404 });
    bytes = await response.arrayBuffer().catch(lost);
  }
  return WebAssembly.compile(bytes);
}

/** For what a network may have lost. */
function lost(thrown: unknown): never {
  throw failure(thrown, true);
}

function failure(cause: unknown, retryable = false): SseError {
  if (isSseError(cause)) return cause;
  const message = messageOf(cause);
  const advice = policyAdvice(message);
  if (advice) return new SseError('csp', advice, { cause });
  return new SseError('wasm', `the wasm module did not load: ${message}`, { cause, retryable });
}
