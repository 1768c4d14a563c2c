// The checks of what a worker and its pollers are given. The limits are those of the Rust server.
import { badOption, type HubError } from '../errors.js';
import { nameFault } from '../tokens/names.js';
import type { Audience } from '../types.js';
import type { HttpTarget } from './ask.js';
import { type Detect, pointerFault } from './compare.js';
import type { PollFetch, WorkerOptions } from './options.js';

/** Options of a poller with their defaults. */
export interface CheckedPoll<V> {
  readonly type: string;
  readonly every: number;
  readonly timeout: number;
  readonly maxStale: number;
  readonly to: readonly Audience[];
  readonly key: string | undefined;
  readonly detect: Detect<V>;
  readonly send: boolean | ((value: V) => unknown);
  readonly source: HttpTarget | PollFetch<V>;
}

const RULES = ['type', 'every', 'timeout', 'maxStale', 'to', 'key', 'detect', 'pointer', 'send'];
const HTTP = ['method', 'body', 'headers', 'maxBytes'];
const WORKER = ['onError', 'onRecover'];
const DAY = 86_400_000;
const MAX_BYTES = 64 << 20;
const MAX_KEY = 255;
const MAX_AUDIENCES = 100;
const MAX_SEGMENTS = 32;
/** Headers that a poller or HTTP itself sets. */
const OWN_HEADERS = ['if-none-match', 'if-modified-since', 'host', 'content-length', 'transfer-encoding', 'connection'];

type Given = Readonly<Record<string, unknown>>;

/** Checks the options of a worker. Throws an error that names the option. */
export function checkWorker(options: WorkerOptions): WorkerOptions {
  if (!isObject(options)) throw badOption('worker', 'an object');
  for (const [name, value] of Object.entries(options)) {
    if (!WORKER.includes(name)) throw unknownOption('worker', name, WORKER);
    if (value !== undefined && typeof value !== 'function') throw badOption(`worker.${name}`, 'a function');
  }
  return options;
}

/** Checks the options of a poller. Throws an error that names the option and repeats no secret. */
export function checkPoll<V>(options: object): CheckedPoll<V> {
  if (!isObject(options)) throw badOption('poll', 'an object');
  const names = [...RULES, 'url', 'fetch', ...HTTP];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw unknownOption('poll', name, names);
  }
  const every = whole(options.every, 'every', 2_000, 10, DAY);
  return {
    type: typeOf(options.type),
    every,
    timeout: whole(options.timeout, 'timeout', 5_000, 10, DAY),
    // A value is stale when the second answer in a row is overdue.
    maxStale: whole(options.maxStale, 'maxStale', Math.min(Math.max(3 * every, 1_000), DAY), 0, DAY),
    to: audiences(options.to),
    key: keyOf(options.key),
    detect: detectOf<V>(options),
    send: sendOf<V>(options.send),
    source: sourceOf<V>(options),
  };
}

function unknownOption(of: string, name: string, names: readonly string[]): HubError {
  return badOption(`${of}.${name}`, `there is no such option; there are ${names.join(', ')}`);
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function whole(value: unknown, name: string, otherwise: number, least: number, most: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw badOption(`poll.${name}`, `a whole number from ${least} to ${most}`);
}

function typeOf(type: unknown): string {
  if (typeof type !== 'string' || !/^[A-Za-z0-9._:-]{1,128}$/.test(type)) {
    throw badOption('poll.type', '1 to 128 letters, digits and . _ : -');
  }
  if (type.startsWith('tinysse.')) throw badOption('poll.type', 'types that begin with `tinysse.` are reserved');
  return type;
}

function audiences(to: unknown): readonly Audience[] {
  if (to === undefined) return [];
  const list: readonly unknown[] = Array.isArray(to) ? [...to] : [to];
  if (list.length < 1 || list.length > MAX_AUDIENCES) {
    throw badOption('poll.to', `1 to ${MAX_AUDIENCES} audiences, or left out for everyone`);
  }
  for (const audience of list) {
    const fault = audienceFault(audience);
    if (fault) throw badOption('poll.to', fault);
  }
  return list as readonly Audience[];
}

function audienceFault(audience: unknown): string | undefined {
  if (audience === 'all') return undefined;
  const [, kind = '', name = ''] = /^(user|role|channel):(.*)$/s.exec(String(audience)) ?? [];
  if (kind === '') return 'an audience is all, user:NAME, role:NAME or channel:NAME';
  if (kind === 'channel' && name.split('.').length > MAX_SEGMENTS) return `a channel may have ${MAX_SEGMENTS} segments`;
  return nameFault(kind, name);
}

function keyOf(key: unknown): string | undefined {
  if (key === undefined) return undefined;
  if (typeof key === 'string' && new TextEncoder().encode(key).length <= MAX_KEY) return key;
  throw badOption('poll.key', `a text of at most ${MAX_KEY} bytes`);
}

function detectOf<V>({ detect, pointer }: Given): Detect<V> {
  if (pointer !== undefined) {
    if (detect !== undefined && detect !== 'json') throw badOption('poll.pointer', 'not with another `detect`');
    const pointers: readonly unknown[] = Array.isArray(pointer) ? [...pointer] : [pointer];
    if (pointers.length === 0) throw badOption('poll.pointer', 'an empty list');
    for (const one of pointers) {
      const fault = pointerFault(one);
      if (fault) throw badOption('poll.pointer', fault);
    }
    return { by: 'pointer', pointers: pointers as readonly string[] };
  }
  if (typeof detect === 'function') return { by: 'function', changed: detect as (previous: V, next: V) => boolean };
  if (detect === undefined || detect === 'json') return { by: 'json' };
  if (detect === 'hash') return { by: 'hash' };
  throw badOption('poll.detect', '"json", "hash" or a function');
}

function sendOf<V>(send: unknown): boolean | ((value: V) => unknown) {
  if (send === undefined) return false;
  if (typeof send === 'boolean' || typeof send === 'function') return send as boolean | ((value: V) => unknown);
  throw badOption('poll.send', 'true, false or a function');
}

function sourceOf<V>(options: Given): HttpTarget | PollFetch<V> {
  const { url, fetch } = options;
  if ((url === undefined) === (fetch === undefined)) throw badOption('poll.url', 'give either `url` or `fetch`');
  if (url !== undefined) return targetOf(options);
  if (typeof fetch !== 'function') throw badOption('poll.fetch', 'a function');
  const foreign = HTTP.find((name) => options[name] !== undefined);
  if (foreign) throw badOption(`poll.${foreign}`, 'belongs to `url`; with `fetch` your own client decides');
  return fetch as PollFetch<V>;
}

function targetOf(options: Given): HttpTarget {
  const { method = 'GET', body } = options;
  if (method !== 'GET' && method !== 'POST') throw badOption('poll.method', '"GET" or "POST"');
  if (body !== undefined && (typeof body !== 'string' || method === 'GET')) {
    throw badOption('poll.body', 'a text, with the method "POST"');
  }
  const { url, credentials } = addressOf(options.url);
  const headers = headersOf(options.headers);
  if (credentials !== undefined) {
    if ('authorization' in headers) throw badOption('poll.headers', '`authorization` is in the address already');
    headers.authorization = credentials;
  }
  if (body !== undefined) headers['content-type'] ??= 'application/json';
  return { url, method, body, headers, maxBytes: whole(options.maxBytes, 'maxBytes', 1 << 20, 1, MAX_BYTES) };
}

/** Takes name and password out of an address: `fetch` refuses them there. */
function addressOf(given: unknown): { url: string; credentials: string | undefined } {
  const text: unknown = isObject(given) ? given.href : given;
  if (typeof text !== 'string' || !URL.canParse(text))
    throw badOption('poll.url', 'not an address like http://host:port/path');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw badOption('poll.url', 'not an http address');
  const { username, password } = url;
  if (username === '' && password === '') return { url: url.href, credentials: undefined };
  url.username = '';
  url.password = '';
  return { url: url.href, credentials: `Basic ${base64(`${decoded(username)}:${decoded(password)}`)}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badOption('poll.url', 'name or password has a `%` that begins no escape');
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function headersOf(given: unknown): Record<string, string> {
  if (given === undefined) return {};
  if (!isObject(given)) throw badOption('poll.headers', 'an object like { authorization: "Bearer ..." }');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const key = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key)) throw badOption('poll.headers', `\`${name}\` is no name of a header`);
    if (OWN_HEADERS.includes(key)) throw badOption('poll.headers', `\`${name}\` is set by the poller itself`);
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw badOption('poll.headers', `\`${name}\` has no value that a header may have`);
    }
    headers[key] = value;
  }
  return headers;
}
