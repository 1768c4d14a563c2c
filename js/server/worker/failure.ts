// Why there is no usable answer, in words that may be logged.
import { redact } from '../../model/redact.js';

/** Characters of a reason. */
const MAX_REASON = 200;

/**
 * Why there is no usable answer: a phrase without address, headers or body. Never thrown at an
 * application, which gets a `HubError`.
 */
export class PollFailure extends Error {
  /** The HTTP status, if there was one. */
  readonly status: number | undefined;
  /** What `Retry-After` asks for, in milliseconds from now. */
  readonly retryAfter: number | undefined;

  constructor(reason: string, details: { status?: number | undefined; retryAfter?: number | undefined } = {}) {
    super(reason);
    this.status = details.status;
    this.retryAfter = details.retryAfter;
  }
}

/**
 * Describes what was thrown, by its message and code without addresses and tokens. The numbers
 * `status` and `retryAfter` (in seconds), as a `HubError` has them, are taken over.
 */
export function failureOf(error: unknown): PollFailure {
  if (error instanceof PollFailure) return error;
  const { message, code, cause, status, retryAfter } = (error ?? {}) as Record<string, unknown>;
  const details = {
    status: typeof status === 'number' ? status : undefined,
    retryAfter: typeof retryAfter === 'number' && retryAfter >= 0 ? retryAfter * 1_000 : undefined,
  };
  const reason = typeof message === 'string' && message !== '' ? reasonOf(message) : 'an unknown error';
  const known = [(cause as { code?: unknown } | null | undefined)?.code, code].find(isCode);
  if (known === undefined || reason.includes(known)) return new PollFailure(reason, details);
  // What `fetch` throws has the messages `fetch failed` and `terminated`.
  const what = error instanceof TypeError ? 'the connection failed' : reason;
  return new PollFailure(`${what} (${known})`, details);
}

/** Makes a message one short line without addresses and tokens. */
export function reasonOf(message: string): string {
  const short = message.slice(0, 5 * MAX_REASON);
  const safe = redact(short.replace(/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>]+/gi, '[address]'));
  return safe.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, MAX_REASON);
}

function isCode(code: unknown): code is string {
  return typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_]{1,48}$/.test(code);
}
