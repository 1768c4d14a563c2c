import type { Detail } from './detail.js';
import { isSseError, messageOf, SseError } from './errors.js';
import type { ClientOptions, Gap, Snapshot, Update, WasmSource } from './types.js';

/** What the wasm class is built with: the options without those of the facade. */
export type WasmOptions = Omit<ClientOptions, 'linger' | 'wasm' | 'signal' | 'persist' | 'log'>;

/** A snapshot as the wasm gives it. */
export type WasmSnapshot = Omit<Snapshot, 'error' | 'retryAt'> & {
  error: unknown;
  /** Milliseconds from now. */
  retryAt: number | null;
};

/** What the wasm counts beyond its snapshot. */
export type WasmDetail = Pick<
  Detail,
  'connects' | 'gaps' | 'bytes' | 'events' | 'duplicates' | 'coalesced' | 'dropped' | 'transitions'
>;

/**
 * What is loaded for few is given each client of the wasm before it starts; `again` throws that one away and makes another, by the
 * options as they are then.
 */
export type Hook = (wasm: WasmClient, again: () => void) => void;

/** The class that `src/web/client.rs` exports. */
export interface WasmClient {
  start(): void;
  stop(): void;
  close(): void;
  pause(): void;
  resume(): void;
  reconnect(): void;
  subscribe(types: string | readonly string[], fn: (update: Update) => void): number;
  unsubscribe(id: number): boolean;
  onStatus(fn: ((snapshot: WasmSnapshot) => void) | undefined): void;
  onResync(fn: ((resync: { gap: Gap; types: string[] | null }) => void) | undefined): void;
  snapshot(): WasmSnapshot;
  inspect?(): WasmDetail;
  /** Calls `fn` with a line of text for each transition of the session. One function at a time. */
  onTransition?(fn: ((line: string) => void) | undefined): void;
  free(): void;
}

/** The module once it runs. */
export interface Wasm {
  SseClient: new (options: WasmOptions) => WasmClient;
}

let loading: Promise<Wasm> | undefined;

/**
 * Loads and compiles the module, once for the page; whoever comes while it loads waits for the same. After a failure the
 * next call tries again. Rejects with an {@link SseError} of the code `csp` or `wasm`.
 *
 * Inlined behind a dynamic `import()`, because that is the one layout that works in every bundler.
 */
export function loadWasm(source?: WasmSource): Promise<Wasm> {
  loading ??= load(source).catch((thrown: unknown) => {
    loading = undefined;
    throw failure(thrown);
  });
  return loading;
}

async function load(source: WasmSource | undefined): Promise<Wasm> {
  const [glue, module] = await Promise.all([import('./wasm/glue.js'), compile(source)]);
  glue.initSync({ module });
  return glue as unknown as Wasm;
}

async function compile(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  let bytes = source;
  if (bytes === undefined) {
    bytes = (await import('./inlined.js')).bytes();
  } else if (typeof bytes === 'string' || bytes instanceof URL) {
    const response = await fetch(bytes);
    if (!response.ok) throw new SseError('wasm', `${bytes} answered ${response.status}`);
    bytes = await response.arrayBuffer();
  }
  return WebAssembly.compile(bytes);
}

/** Engines have no error class of their own for a refusal by policy; all of them name it in the message. */
const refused = /content.security.policy|\bcsp\b|unsafe-eval|disallowed by embedder/i;

function failure(thrown: unknown): SseError {
  if (isSseError(thrown)) return thrown;
  const message = messageOf(thrown);
  if (refused.test(message)) {
    const advice = "the content security policy needs script-src 'wasm-unsafe-eval'";
    return new SseError('csp', `${advice} (${message})`, { cause: thrown });
  }
  return new SseError('wasm', `the wasm module did not load: ${message}`, { cause: thrown });
}
