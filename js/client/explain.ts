// What the console prints of a new kind of failure. Loaded by the first one.

import type { WasmOptions } from '../loader/wasm.js';
import type { SseError } from '../model/errors.js';
import { redact } from '../model/redact.js';
import type { Snapshot } from '../model/snapshot.js';
import { statusOf } from '../token/answer.js';

/** Ships with the package. */
const pages = 'tinysse/docs/errors.md';

/** What a remedy depends on. */
interface Case {
  readonly error: SseError;
  readonly snapshot: Snapshot;
  /** True if the application gave a token provider. */
  readonly token: boolean;
  /** The stream's address, without its query and without a user name or password. */
  readonly url: string;
  /** The page's origin, and that of the stream. */
  readonly origin: string;
  readonly server: string;
  readonly secure: boolean;
}

/**
 * Warns of a failure, in one sentence. Without effect on servers, whose logs are not where a page's
 * failures belong.
 */
export function explain(error: SseError, snapshot: Snapshot, options: WasmOptions): void {
  // A native stream hides why it was refused; the client asks, and reports it next.
  if (error.message.endsWith('refused once')) return;
  const scope = globalThis as { document?: unknown; WorkerGlobalScope?: unknown };
  if (scope.document || scope.WorkerGlobalScope) console.warn(sentence(error, snapshot, options));
}

/** What failed, where, whether it is retried and when, the likely fix, and where to read more. */
export function sentence(error: SseError, snapshot: Snapshot, options: WasmOptions): string {
  const [url, server] = address(options.url);
  const origin = globalThis.location?.origin ?? '';
  const secure = globalThis.location?.protocol === 'https:';
  const known = { error, snapshot, token: typeof options.token === 'function', url, origin, server, secure };
  const { code, status } = error;
  const what = `${code}${status ? ` ${status}` : ''}: ${error.message}${below(error)}`;
  return redact(
    `tinysse: ${what}, at ${url}; ${when(error, snapshot)}; likely fix: ${remedies[code](known)}; see ${pages}#${code}`,
  );
}

/**
 * What was thrown below. Of the application's own errors only the name and the status: their texts
 * may hold anything, tokens too, and so may the text of a JSON parser.
 */
function below({ message, cause }: SseError): string {
  if (!(cause instanceof Error) || message.includes(cause.message)) return '';
  const status = statusOf(cause);
  return ` (${cause instanceof TypeError ? cause.message : `${cause.name}${status ? ` with the status ${status}` : ''}`})`;
}

/**
 * The address as a page shows it, and its origin. The query is left out: it may hold a token by any
 * name.
 */
function address(given: string): [url: string, origin: string] {
  try {
    const url = new URL(given, globalThis.document?.baseURI ?? globalThis.location?.href);
    return [`${url.origin}${url.pathname}`, url.origin];
  } catch {
    return [given.split('?', 1)[0] ?? '', ''];
  }
}

function when({ code, retryable }: SseError, { attempt, retryAt }: Snapshot): string {
  if (code === 'options' || code === 'overflow') return 'it is not retried';
  if (!retryable) return 'it is not retried until `reconnect()`, another user, or the page is shown again';
  if (retryAt === null) return 'it is retried at once';
  const seconds = Math.max(0, retryAt - Date.now()) / 1000;
  return `it is retried in ${seconds.toFixed(1)} s, after ${attempt} failed ${attempt === 1 ? 'attempt' : 'attempts'}`;
}

const proxy = 'pass this path on to the hub in the proxy of the dev server (Vite: `server.proxy`, Next.js: `rewrites`)';

const cors = ({ origin, server }: Case) =>
  `start the hub at ${server} if it is not running, and let it answer this page: \`--cors-origin ${origin}\``;

const statuses: { readonly [status: number]: (known: Case) => string } = {
  200: () => `the answer is not \`text/event-stream\`: if it is the HTML page of your app, ${proxy}`,
  204: () => 'the server ends the stream for good with 204; answer 200 to keep it, or call `reconnect()` later',
  403: () => 'allow this user (role, directory) or this origin on the hub',
  404: ({ url }) => `no stream is there: correct the option \`url\` (now ${url}), or ${proxy}`,
  405: () => 'the stream is read with GET: allow it there, or correct the option `url`',
  410: () => 'the stream is gone: correct the option `url`',
  429: () => 'too many requests of this user or address: nothing, or raise the limits of the hub',
  502: () => 'start the hub: a proxy answers for it',
  503: () => 'the hub is busy or starting: nothing, or start it if a proxy answers for it',
  504: () => 'start the hub, and let the proxy wait for streams: it answers for the hub',
};

const remedies: { readonly [code in SseError['code']]: (known: Case) => string } = {
  unauthorized: ({ error, token }) => {
    if (error.message.includes('redirects'))
      return 'log the user in, and let the stream answer 401 rather than redirect';
    if (error.message.includes('provider')) return 'log the user in, then call `setUser(id)` or `reconnect()`';
    if (token) return 'let the token endpoint and the hub use the same key (`secret`, `token-key`), clock and audience';
    return 'give the option `token`, or `withCredentials: true` if cookies of another origin are to be sent';
  },
  user: () => 'ask for the token after the login, or give `user` the id that the server puts into tokens',
  token: ({ error }) =>
    error.message.includes('in time')
      ? 'look at the token endpoint, or raise the option `tokenTimeout`'
      : 'answer a text or `{ token, expires_in }` (seconds above 0), or throw an error with the `status` of the response',
  network: (known) => {
    const { error, snapshot, origin, server, secure } = known;
    if (secure && server.startsWith('http:')) return 'a page of https reads no stream of http: give the hub https';
    if (error.message.includes('silent')) return 'let no proxy buffer the stream, or raise `heartbeatTimeout`';
    if (error.message.includes('in time')) return 'let no proxy buffer the stream, or raise `connectTimeout`';
    if (error.message.includes('cannot be read')) return cors(known);
    if (snapshot.clientId || snapshot.lastEventId) return 'nothing, if this is rare: what was missed is replayed';
    return server && server !== origin ? cors(known) : `start the hub at ${server}, or ${proxy}`;
  },
  http: (known) => {
    const { error, origin, server } = known;
    const remedy = statuses[error.status ?? 0];
    if (remedy) return remedy(known);
    if (error.status) return `look into the log of the server, which answered ${error.status}`;
    return server && server !== origin ? cors(known) : `correct the option \`url\`, or ${proxy}`;
  },
  protocol: () => 'let nothing between hub and page change the stream, or raise the option `eventLimit`',
  csp: ({ error, server }) =>
    error.message.includes('wasm')
      ? "add 'wasm-unsafe-eval' to `script-src` of the Content-Security-Policy"
      : `add ${server} to \`connect-src\` of the Content-Security-Policy`,
  wasm: ({ error }) =>
    error.retryable
      ? 'nothing, if the network is away; after a deployment keep the old chunks, or reload the page'
      : 'allow WebAssembly in this browser, or give the option `wasm` a file that is served as it was built',
  options: () => 'correct the option that is named',
  overflow: () => 'read faster, or choose another `overflow`',
};
