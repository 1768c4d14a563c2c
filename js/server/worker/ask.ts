// One question to another server over HTTP, or to a client of the application.
//
// Redirects are not followed: the headers may hold keys that are meant for this server only.
import type { Answer, Source, Validators } from './answer.js';
import type { Comparison } from './compare.js';
import { failureOf, PollFailure } from './failure.js';
import { retryAfter } from './retry-after.js';

/** A validator that is longer is not kept. */
const MAX_VALIDATOR = 1_024;
/** The codings that `fetch` decodes. */
const CODINGS: readonly string[] = ['identity', 'gzip', 'x-gzip', 'deflate', 'br', 'zstd'];

/** What is asked over HTTP. */
export interface HttpTarget {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** A body may have this many bytes, decoded. */
  readonly maxBytes: number;
}

/** Asks over HTTP, with conditions where they mean something: in GET. */
export function overHttp<V>(target: HttpTarget, comparison: Comparison<V>): Source<V> {
  return async (known, signal) => {
    try {
      const { url, method, body = null } = target;
      const conditions = method === 'GET' ? conditionsOf(known) : {};
      const headers = { ...target.headers, ...conditions };
      const response = await fetch(url, { method, body, headers, signal, redirect: 'manual' });
      return await answerOf(response, target.maxBytes, comparison);
    } catch (error) {
      return failed(error);
    }
  };
}

/** Asks a client of the application. */
export function overClient<V>(client: (signal: AbortSignal) => V | Promise<V>, comparison: Comparison<V>): Source<V> {
  return async (_known, signal) => {
    try {
      const value = await client(signal);
      if (typeof Response === 'function' && value instanceof Response) {
        void value.body?.cancel().catch(() => {});
        throw new PollFailure('`fetch` returned a Response; return its value, as `response.json()` does');
      }
      const reading = await comparison.readValue(value);
      return { kind: 'value', reading, validators: { etag: undefined, modified: undefined } };
    } catch (error) {
      return failed(error);
    }
  };
}

function conditionsOf(known: Validators | undefined): Record<string, string> {
  return {
    ...(known?.etag !== undefined && { 'if-none-match': known.etag }),
    ...(known?.modified !== undefined && { 'if-modified-since': known.modified }),
  };
}

async function answerOf<V>(response: Response, maxBytes: number, comparison: Comparison<V>): Promise<Answer<V>> {
  const { status, headers } = response;
  if (response.ok) {
    const body = await read(response, maxBytes);
    const validators = { etag: validator(headers.get('etag')), modified: validator(headers.get('last-modified')) };
    return { kind: 'value', reading: await comparison.readBody(body), validators };
  }
  // So that the connection is free, or closed if much is still to come.
  void response.body?.cancel().catch(() => {});
  if (status === 304) return { kind: 'not-modified' };
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    throw new PollFailure(`a redirect (status ${status}); redirects are not followed`, { status });
  }
  const wait = retryAfter(headers.get('retry-after') ?? '', Date.now());
  throw new PollFailure(`status ${status}`, { status, retryAfter: wait });
}

/** Reads a body of at most `max` bytes. */
async function read(response: Response, max: number): Promise<Uint8Array> {
  const { headers, body } = response;
  const stop = (reason: string) => {
    void body?.cancel().catch(() => {});
    return new PollFailure(reason);
  };
  const codings = (headers.get('content-encoding') ?? 'identity').toLowerCase().split(',');
  if (!codings.every((coding) => CODINGS.includes(coding.trim()))) throw stop('a content coding that is not known');
  if (Number(headers.get('content-length')) > max) throw stop(`the answer is longer than ${max} bytes`);
  if (!body) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > max) {
      void reader.cancel().catch(() => {});
      throw new PollFailure(`the answer is longer than ${max} bytes`);
    }
    chunks.push(part.value);
  }
  return concat(chunks, length);
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function validator(text: string | null): string | undefined {
  return text && text.length <= MAX_VALIDATOR ? text : undefined;
}

function failed<V>(error: unknown): Answer<V> {
  return { kind: 'failed', failure: failureOf(error) };
}
