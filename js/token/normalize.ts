// What token providers answer and throw in the wild, put into the form that the core reads. Loaded
// by the first client that needs it; so it imports nothing that the entry has, which bundlers would
// move into a chunk of its own.

import type { TokenAnswer } from '../model/options.js';
import { peek, statusOf, tokenOf } from './answer.js';
import { noToken } from './received.js';

/**
 * Returns an answer with `token`, and with `expires_in` as a number. One that has no token becomes
 * an error, which describes what was received, and which the core takes for what it is.
 */
export function readAnswer(answer: unknown): TokenAnswer {
  const token = tokenOf(answer);
  const given = peek(answer, 'expires_in') ?? undefined;
  const expires_in = typeof given === 'string' && given ? Number(given) : given;
  if (!token || !(given === undefined || (typeof expires_in === 'number' && expires_in > 0))) {
    return noToken(answer) as never;
  }
  return { token, expires_in, user: peek(answer, 'user') } as TokenAnswer;
}

/**
 * Returns an error with the HTTP status as its `status`: the one that was thrown, if it has none or
 * has it there.
 */
export function readError(cause: unknown): unknown {
  const status = statusOf(cause);
  if (peek(cause, 'status') === status) return cause;
  const error = new Error(String(peek(cause, 'message') ?? cause), { cause });
  return Object.assign(error, { name: 'SseError', code: 'token', status, retryable: false });
}
