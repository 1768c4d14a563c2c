// One request to the server, and what its answer means.
import { retryAfter } from '../worker/retry-after.js';
import type { RemoteClock } from './clock.js';
import type { CheckedRemote } from './options.js';
import type { Batch } from './queue.js';

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'published'; readonly ids: readonly string[] }
  /**
   * It is to be repeated: the server does not answer, or not now. `retryAfter` is in milliseconds.
   */
  | { readonly kind: 'later'; readonly why: string; readonly retryAfter?: number | undefined }
  /** The key or the address is wrong, which an operator can repair. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The request itself is wrong. */
  | { readonly kind: 'rejected'; readonly status: number; readonly code: string; readonly why: string };

/** Where requests go. */
export type Target = Pick<CheckedRemote, 'url' | 'key' | 'timeout' | 'fetch'>;

/** The longest wait that a server may ask for, in milliseconds. */
const LONGEST = 60_000;
const LATER: readonly number[] = [408, 425, 429];
const REJECTED: readonly number[] = [400, 413, 422];
/** Bytes of an answer; one with 1,000 ids has 50,000. */
const MAX_ANSWER = 1 << 20;
/** Characters of what a server explains that are passed on. */
const MAX_DETAIL = 500;

/** Sends a batch. Never rejects; `signal` ends it early, also if `fetch` does not mind its own. */
export async function send(target: Target, batch: Batch, signal: AbortSignal, clock: RemoteClock): Promise<Outcome> {
  const { url, key, timeout } = target;
  const request = new AbortController();
  const stop = () => request.abort(new Error('the publisher is closed'));
  const late = () => request.abort(new Error(`no answer within ${timeout} ms`));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const cancel = clock.setTimer(timeout, late, false);
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'idempotency-key': batch.key,
  };
  try {
    const init = { method: 'POST', headers, body: batch.body, redirect: 'manual', signal: request.signal } as const;
    const answered = target.fetch(url, init).then((answer) => outcomeOf(answer, clock));
    return await Promise.race([answered, ended(request.signal)]);
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    return { kind: 'later', why: cause?.code ?? cause?.message ?? message };
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function outcomeOf(answer: Response, clock: RemoteClock): Promise<Outcome> {
  const { status } = answer;
  // An answer that is cut throws here: it is a lost one.
  const { ids, code = '', detail = '' } = membersOf(await read(answer));
  if (status === 200 && Array.isArray(ids)) return { kind: 'published', ids };
  const why = `${status} ${code} ${detail}`.trim().slice(0, MAX_DETAIL);
  if (status >= 500 || LATER.includes(status)) {
    const wait = retryAfter(answer.headers.get('retry-after')?.trim() ?? '', clock.now());
    return { kind: 'later', why, retryAfter: wait === undefined ? undefined : Math.min(wait, LONGEST) };
  }
  if (REJECTED.includes(status)) return { kind: 'rejected', status, code: String(code), why };
  return { kind: 'refused', why };
}

async function read(answer: Response): Promise<string> {
  if (!answer.body) return '';
  const utf8 = new TextDecoder();
  const reader = answer.body.getReader();
  let [text, length] = ['', 0];
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > MAX_ANSWER) {
      void reader.cancel().catch(() => {});
      return '';
    }
    text += utf8.decode(part.value, { stream: true });
  }
  return text;
}

/** The members of an answer; none if it is no JSON, as that of a proxy. */
function membersOf(text: string): { ids?: string[]; code?: unknown; detail?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
