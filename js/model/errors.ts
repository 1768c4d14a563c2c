// The one error class of tinysse, and the kinds of failure.
import type { ERROR_CODES } from './vocabulary.js';

/**
 * The kind of a failure. `docs/errors.md` of the package explains each: causes, remedies, and what
 * the console prints.
 *
 * | code | meaning | retried by itself |
 * |---|---|---|
 * | `unauthorized` | the token provider answered 401 or 403, or the server refused every token | no |
 * | `user` | the token is for another user than the one that was set | no |
 * | `token` | the token provider failed otherwise: it threw, did not answer, or answered no token | yes |
 * | `network` | no connection, or it was cut | yes |
 * | `http` | the server answered with a status or a content type that is no stream | see `retryable` |
 * | `protocol` | the server sent what tinysse/1 does not allow | see `retryable` |
 * | `csp` | a content security policy refuses WebAssembly (`script-src` needs `'wasm-unsafe-eval'`) or the URL (`connect-src`) | no |
 * | `wasm` | the module could not be loaded (retried) or compiled (not retried) | see `retryable` |
 * | `options` | an option is missing, unknown or of the wrong type | no |
 * | `overflow` | an iterator that was to lose nothing was read too slowly: see `updates` of `tinysse/iterate` | no |
 */
export type SseErrorCode = (typeof ERROR_CODES)[number];

/** What an {@link SseError} is made of beside its message. */
export interface SseErrorDetails {
  /** The HTTP status, where one is known: a native `EventSource` hides it. */
  status?: number | undefined;
  /** True if the client goes on trying by itself. */
  retryable?: boolean | undefined;
  /** What was thrown below. */
  cause?: unknown;
}

/**
 * The one error class of tinysse.
 *
 * ```ts
 * sse.onError((error) => {
 *   if (error.code === 'unauthorized') location.assign('/login');
 * });
 * ```
 *
 * Failures of the stream are not thrown: they are the `error` of the snapshot, and go to `onError`.
 */
export class SseError extends Error {
  /**
   * Always `SseError`: it identifies the class across copies of this package, see
   * {@link isSseError}.
   */
  override readonly name = 'SseError';
  /** Which kind of failure; the message is for people, this is for programs. */
  declare readonly code: SseErrorCode;
  /** The HTTP status, where one is known. */
  declare readonly status: number | undefined;
  /** True if the client goes on trying by itself. */
  declare readonly retryable: boolean;

  constructor(code: SseErrorCode, message: string, details: SseErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
    this.retryable = details.retryable ?? false;
  }

  /**
   * Returns what `JSON.stringify` writes: `name`, `code`, `status`, `retryable` and `message`. The
   * cause is left out, as it is not enumerable: it may hold a request with its token.
   */
  toJSON(): object {
    return { ...this, message: this.message };
  }
}

/**
 * True for an {@link SseError}, whichever copy of this package made it, and for the plain objects
 * of the same shape that the wasm module throws.
 *
 * ```ts
 * try { await work(); } catch (error) { if (isSseError(error)) console.warn(error.code); else throw error; }
 * ```
 */
export function isSseError(value: unknown): value is SseError {
  return (value as SseError | undefined)?.name === 'SseError' && typeof (value as SseError).code === 'string';
}

/** Makes an {@link SseError} of whatever was thrown; `code` names what is not one already. */
export function asSseError(thrown: unknown, code: SseErrorCode): SseError {
  if (thrown instanceof SseError) return thrown;
  if (!isSseError(thrown)) return new SseError(code, messageOf(thrown), { cause: thrown });
  return new SseError(thrown.code, thrown.message, { cause: thrown, ...thrown });
}

/**
 * Hands an exception of a listener to the page, as the browser does with those of its own listeners
 * (HTML, 8.1.4.6).
 */
export function report(thrown: unknown): void {
  (globalThis.reportError ?? console.error)(thrown);
}

/** The message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return String((thrown as Error | undefined)?.message ?? thrown);
}
