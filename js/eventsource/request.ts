// The requests of the class: URL, headers, token, and the judgement of a response.
import { messageOf, SseError } from '../model/errors.js';
import { statusOf, tokenOf } from '../token/answer.js';
import { noToken } from '../token/received.js';
import { MIN_DELAY_MS } from './backoff.js';
import type { EventSourceInit, EventSourceToken, EventSourceTokenAsk } from './types.js';

/** Why a connection is over. */
export interface End {
  /** True if there shall be no other one. */
  readonly fatal?: boolean;
  /** True if the token was refused and another one may be asked for. */
  readonly refused?: boolean;
  readonly error: SseError;
}

/** How long the token function may take, in milliseconds: the default of the client. */
const TOKEN_TIMEOUT_MS = 10_000;

/**
 * Returns a controller that is aborted with a signal. `AbortSignal.any` is newer than the browsers
 * that are supported.
 */
function linked(signal: AbortSignal): AbortController {
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort(signal.reason));
  return controller;
}

/** Asks for a token. Rejects with an {@link End}. */
export async function ask(token: EventSourceToken, { reason, signal }: EventSourceTokenAsk): Promise<string> {
  if (typeof token === 'string') return token;
  const both = linked(signal);
  const timer = setTimeout(() => both.abort(new DOMException('no token in time', 'TimeoutError')), TOKEN_TIMEOUT_MS);
  try {
    const answer = await Promise.race([
      token({ reason, signal: both.signal }),
      new Promise<never>((_, reject) => {
        both.signal.onabort = () => reject(both.signal.reason);
      }),
    ]);
    const text = tokenOf(answer);
    if (!text) throw noToken(answer);
    return text;
  } catch (cause) {
    const status = statusOf(cause);
    const refused = status === 401 || status === 403;
    const error = new SseError(refused ? 'unauthorized' : 'token', messageOf(cause), {
      status,
      retryable: !refused,
      cause,
    });
    throw { fatal: refused, error } satisfies End;
  } finally {
    clearTimeout(timer);
  }
}

/** The request for a stream, HTML §9.2.2. */
export function request(init: EventSourceInit, lastEventId: string, token: string | undefined, signal: AbortSignal) {
  const headers = new Headers(init.headers);
  headers.set('Accept', 'text/event-stream');
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
  if (lastEventId) headers.set('Last-Event-ID', byteString(lastEventId));
  const credentials: RequestCredentials = init.withCredentials ? 'include' : 'same-origin';
  // The rest is the default of fetch: CORS, and redirects are followed.
  return { headers, signal, credentials, cache: 'no-store' } satisfies RequestInit;
}

/**
 * Asks for a stream. `fetch` reports a CORS rejection and a network failure alike. So if the first
 * request to another origin fails, one whose answer need not be shown finds out whether a server
 * answers; it is aborted then, since a stream has no end, and an opaque body cannot be cancelled.
 * If the next request fails too, CORS denies access. A source that was open before is not probed: a
 * proxy may answer for a while.
 */
export async function open(get: typeof fetch, given: string, asked: ReturnType<typeof request>, first: boolean) {
  const url = bare(given);
  const wait = () => new Promise((done) => setTimeout(done, MIN_DELAY_MS * (1 + Math.random())));
  for (let there: unknown; ; await wait()) {
    try {
      return await get(url, asked);
    } catch (cause) {
      if (there) throw new SseError('network', 'the server answered without CORS');
      if (!first || new URL(url).origin === globalThis.location?.origin) throw cause;
      await wait();
      const look = linked(asked.signal);
      there = await get(url, { ...asked, headers: {}, mode: 'no-cors', signal: look.signal }).catch(() => {});
      look.abort();
      if (!there) throw cause;
    }
  }
}

/**
 * "Let lastEventIDValue be the EventSource object's last event ID string, encoded as UTF-8": a
 * header's characters are its bytes.
 */
function byteString(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/**
 * Returns why a response is no stream, or undefined for a stream: "if res's status is not 200, or
 * if res's `Content-Type` is not `text/event-stream`".
 */
export function classifyResponse(response: Response, renewable: boolean): End | undefined {
  const { status } = response;
  const type = response.headers.get('content-type');
  if (status !== 200) {
    const refused = status === 401 && renewable;
    const code = status === 401 ? 'unauthorized' : 'http';
    const error = new SseError(code, `the server answered ${status}`, { status, retryable: refused });
    return { fatal: !refused, refused, error };
  }
  if (/^text\/event-stream\s*(;|$)/i.test(type ?? '')) return undefined;
  const message = `the server answered with the content type ${type ?? '(none)'}, not text/event-stream`;
  return { fatal: true, error: new SseError('http', message, { status }) };
}

const base = (): string | undefined => globalThis.document?.baseURI ?? globalThis.location?.href;

/** "Let urlRecord be the result of encoding-parsing a URL given url, relative to settings." */
export function address(url: string): string {
  try {
    const { protocol, hostname, href } = new URL(url, base());
    // URL §3.5 has no domain with a space or a percent sign; Chromium has.
    if (!/^http.*%/.test(protocol + hostname)) return href;
  } catch {}
  throw new DOMException(`the URL '${url}' is invalid`, 'SyntaxError');
}

/**
 * Returns the URL as `fetch` accepts it, which is without user name and password. Those of the
 * page's own URL are sent by the browser. Others are an error, as they are for the class of
 * Chromium.
 */
function bare(address: string): string {
  const url = new URL(address);
  if (url.username || url.password) {
    if (new URL('/', url).href !== new URL('/', base() ?? 'a:/').href) {
      throw new SseError('options', 'the URL holds a user name or a password');
    }
    url.username = url.password = '';
  }
  return url.href;
}

/** A chunk of a stream. */
export function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError('a stream is made of bytes');
}
