// One request to the server, and what its answer means.
import type { Batch } from './queue.js';

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'published'; readonly ids: readonly string[] }
  /** It is to be repeated: the server does not answer, or not now. */
  | { readonly kind: 'later'; readonly why: string; readonly retryAfter?: number | undefined }
  /** The key or the address is wrong, which an operator can repair. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The request itself is wrong. */
  | { readonly kind: 'rejected'; readonly status: number; readonly code: string; readonly why: string };

/** Where requests go. */
export interface Target {
  readonly url: string;
  readonly key: string;
  readonly timeout: number;
}

/** The longest wait that a server may ask for, in milliseconds. */
const LONGEST = 60_000;
const LATER: readonly number[] = [408, 425, 429, 507];
const REJECTED: readonly number[] = [400, 413, 422];

/** Sends a batch. Never rejects; `signal` ends it early. */
export async function send(target: Target, batch: Batch, signal: AbortSignal): Promise<Outcome> {
  const { url, key, timeout } = target;
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'idempotency-key': batch.key,
  };
  try {
    const signals = [signal, AbortSignal.timeout(timeout)];
    const answer = await fetch(url, { method: 'POST', headers, body: batch.body, signal: AbortSignal.any(signals) });
    return await outcomeOf(answer);
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    const why = name === 'TimeoutError' ? `no answer within ${timeout} ms` : (cause?.code ?? message);
    return { kind: 'later', why };
  }
}

async function outcomeOf(answer: Response): Promise<Outcome> {
  const { status } = answer;
  const body = (await answer.json().catch(() => ({}))) as { ids?: string[]; code?: string; detail?: string };
  if (status === 200 && Array.isArray(body.ids)) return { kind: 'published', ids: body.ids };
  const why = `${status} ${body.code ?? ''} ${body.detail ?? ''}`.trim();
  if (status >= 500 || LATER.includes(status)) {
    return { kind: 'later', why, retryAfter: retryAfterOf(answer.headers.get('retry-after')) };
  }
  if (REJECTED.includes(status)) return { kind: 'rejected', status, code: body.code ?? 'rejected', why };
  return { kind: 'refused', why };
}

/** Reads `Retry-After` (RFC 9110, 10.2.3), in milliseconds. */
function retryAfterOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST) : undefined;
}
