// What the routes get and give, whatever server carries them.
import { HubError } from '../errors.js';
import type { NodeRequest } from '../hub/node-sink.js';
import type { Sink } from '../hub/sink.js';

/** The request that the option `identify` sees. */
export interface IdentifyRequest {
  /** `POST` for a token, `GET` for the cursor. */
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** All headers, cookies among them. */
  readonly headers: Headers;
  /** The request of the web platform, if that is what `hub.fetch` was given. */
  readonly request?: Request | undefined;
  /** The request of Node, if that is what `hub.node` was given: with `session`, `user` and whatever
   * else the middleware before it added. */
  readonly node?: NodeRequest | undefined;
}

/** A request, as the routes see it. */
export interface ServerRequest {
  readonly method: string;
  readonly path: string;
  /** Without the `?`. */
  readonly query: string;
  /** The address of the connection, if it is known. */
  readonly address: string | undefined;
  /** The response takes frames as chunks of HTTP/1.1. */
  readonly chunked: boolean;
  header(name: string): string | undefined;
  /** Reads the body. Throws `body_too_large` past the limit, `bad_body` if it ends early. */
  body(limit: number): Promise<Uint8Array>;
  subject(): IdentifyRequest;
  /**
   * Answers with a stream: sends the head, and returns what carries the body. `undefined` if the
   * connection has ended meanwhile.
   */
  stream(headers: Record<string, string>): Sink | undefined;
}

/** An answer with a body. */
export interface TextReply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The reasons of RFC 9110 for the statuses in use. */
const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
};

/** A refusal as `application/problem+json` (RFC 9457). */
export function problem(error: HubError): TextReply {
  const { code, message, retryAfter, status = 500 } = error;
  const body = { code, detail: message, status, title: TITLES[status] ?? 'Error', type: 'about:blank' };
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter)));
  return { status, headers, body: JSON.stringify(body) };
}

/** An answer in JSON. */
export function json(value: unknown, headers: Record<string, string> = {}): TextReply {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** A refusal. */
export function refuse(status: number, code: string, detail: string, retryAfter?: number): HubError {
  return new HubError(code, detail, { status, retryAfter });
}
