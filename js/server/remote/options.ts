// The options of a publisher to a `tinysse-server`, checked.
import { badOption, type HubError } from '../errors.js';

/** What a publisher asks `fetch` for. */
export interface RemoteRequest {
  /** Always `POST`. */
  readonly method: 'POST';
  /** The publish key as bearer, the content type, and the `Idempotency-Key`. */
  readonly headers: Record<string, string>;
  /** JSON. */
  readonly body: string;
  /** Redirects are not followed: the key is meant for this server only. */
  readonly redirect: 'manual';
  /** Aborts when the time is up, or when the publisher is closed. */
  readonly signal: AbortSignal;
}

/** The options of {@link createRemote}. Durations are in milliseconds. */
export interface RemoteOptions {
  /** Where the server is, such as `http://127.0.0.1:8080`. `/publish` is appended. */
  readonly url: string;
  /** The publish key of the server. */
  readonly key: string;
  /** What waits for the server. */
  readonly queue?:
    | {
        /** Updates; 10,000 by default. */
        readonly maxCount?: number | undefined;
        /** Bytes of JSON; 16 MiB by default. */
        readonly maxBytes?: number | undefined;
        /**
         * A file that keeps what waits, so that a restart or a kill of this process loses nothing
         * that was accepted. It is written before `notify` returns, and not synced: a power cut may
         * lose the end of it. Of one process at a time, on one machine: `FILE.lock` names it.
         * A lock that a killed process left is replaced; in Deno that needs `--allow-run`.
         *
         * A damaged file is kept as `FILE.damaged`, and a resync of everything is announced. While
         * the file can't be written, what is accepted is kept in memory only; writing is tried
         * again every second, and if the process ends meanwhile, the next one announces everything.
         */
        readonly file?: string | undefined;
      }
    | undefined;
  /** How long one request may take. 10,000 by default. */
  readonly timeout?: number | undefined;
  /**
   * Receives errors that no caller receives. What lasts is reported when it begins, not at each
   * attempt. `console.error` by default.
   */
  readonly onError?: ((error: HubError) => void) | undefined;
  /** Sends requests; for a proxy or an agent. The `fetch` of the runtime by default. */
  readonly fetch?: ((url: string, request: RemoteRequest) => Promise<Response>) | undefined;
}

/** The options with their defaults. */
export interface CheckedRemote {
  readonly url: string;
  readonly key: string;
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly file: string | undefined;
  readonly timeout: number;
  readonly onError: (error: HubError) => void;
  readonly fetch: (url: string, request: RemoteRequest) => Promise<Response>;
}

const KNOWN = ['url', 'key', 'queue', 'timeout', 'onError', 'fetch'];
const KNOWN_QUEUE = ['maxCount', 'maxBytes', 'file'];

/**
 * Checks options and fills in defaults. Throws an error that names the option, without its value.
 */
export function checkRemote(options: RemoteOptions): CheckedRemote {
  known(options, 'remote', KNOWN);
  const { url, key, queue = {}, timeout, onError, fetch: own } = options;
  known(queue, 'remote.queue', KNOWN_QUEUE);
  // Others are no part of a header; runtimes print the value of a header that they refuse.
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key)) {
    throw badOption('remote.key', 'the publish key of the server: visible ASCII characters, without a line end');
  }
  if (onError !== undefined && typeof onError !== 'function') throw badOption('remote.onError', 'a function');
  if (own !== undefined && typeof own !== 'function') throw badOption('remote.fetch', 'a function');
  if (queue.file !== undefined && (typeof queue.file !== 'string' || queue.file === '')) {
    throw badOption('remote.queue.file', 'a path');
  }
  return {
    url: `${base(url)}/publish`,
    key,
    maxCount: whole(queue.maxCount, 'remote.queue.maxCount', 10_000),
    maxBytes: whole(queue.maxBytes, 'remote.queue.maxBytes', 16 << 20),
    file: queue.file,
    timeout: whole(timeout, 'remote.timeout', 10_000),
    onError: onError ?? ((error) => console.error(`tinysse: ${error.message}`)),
    fetch: own ?? ((to, request) => fetch(to, request)),
  };
}

function known(given: unknown, of: string, names: readonly string[]): void {
  if (typeof given !== 'object' || given === null) throw badOption(of, 'an object');
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw badOption(`${of}.${unknown}`, `there is no such option; ${of} takes ${names.join(', ')}`);
}

function base(url: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw badOption('remote.url', 'an address with http or https');
  // `fetch` takes no credentials in an address, and they would be printed.
  if (parsed.username || parsed.password) throw badOption('remote.url', 'an address without a user and a password');
  if (parsed.search || parsed.hash) throw badOption('remote.url', 'an address without `?` and `#`');
  return parsed.href.replace(/\/+$/, '');
}

function whole(value: number | undefined, name: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value >= 1 && value <= 0x7fff_ffff) return value;
  throw badOption(name, `a whole number from 1 to ${0x7fff_ffff}, not ${String(value)}`);
}
