/**
 * Why the connection is not what it should be.
 *
 * | code | meaning | retried by itself |
 * |---|---|---|
 * | `unauthorized` | the token provider said 401 or 403, or the server refused every token | no |
 * | `token` | the token provider failed otherwise: it threw, hung, or answered no token | yes |
 * | `network` | no connection, or it was cut | yes |
 * | `http` | the server answered with a status that is no stream | see `retryable` |
 * | `protocol` | the server says what tinysse/1 does not allow | see `retryable` |
 * | `csp` | a content security policy refuses WebAssembly (`script-src` needs `'wasm-unsafe-eval'`) or the URL (`connect-src`) | no |
 * | `wasm` | the module could not be loaded or compiled for another reason | on the next `acquire` or `reconnect` |
 * | `options` | an option of `createClient` has the wrong type or name | no |
 */
export type SseErrorCode = 'unauthorized' | 'network' | 'http' | 'protocol' | 'token' | 'csp' | 'wasm' | 'options';

const codes: ReadonlySet<unknown> = new Set<SseErrorCode>([
  'unauthorized',
  'network',
  'http',
  'protocol',
  'token',
  'csp',
  'wasm',
  'options',
]);

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
  override readonly name = 'SseError';
  /** Which kind of failure; the message is for people, this is for programs. */
  readonly code: SseErrorCode;
  /** The HTTP status, where one is known. */
  readonly status: number | undefined;
  /** True if the client goes on trying by itself. */
  readonly retryable: boolean;

  constructor(code: SseErrorCode, message: string, details: SseErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.status = details.status;
    this.retryable = details.retryable ?? false;
  }
}

/**
 * True for an {@link SseError}, whichever copy of this package made it, and for the plain objects of the same shape that
 * the wasm module throws.
 *
 * ```ts
 * try { await work(); } catch (error) { if (isSseError(error)) console.warn(error.code); else throw error; }
 * ```
 */
export function isSseError(value: unknown): value is SseError {
  if (value instanceof SseError) return true;
  if (typeof value !== 'object' || value === null) return false;
  const shape = value as { name?: unknown; code?: unknown };
  return shape.name === 'SseError' && codes.has(shape.code);
}

/** Makes an {@link SseError} of whatever was thrown; `code` names what is not one already. */
export function asSseError(thrown: unknown, code: SseErrorCode): SseError {
  if (thrown instanceof SseError) return thrown;
  const message = messageOf(thrown);
  if (!isSseError(thrown)) return new SseError(code, message, { cause: thrown });
  const { status, retryable, cause } = thrown as SseErrorDetails;
  return new SseError((thrown as SseError).code, message, { status, retryable, cause: cause ?? thrown });
}

/** Hands an exception of a listener to the page, as the browser does with those of its own listeners (HTML, 8.1.4.6). */
export function report(thrown: unknown): void {
  if (typeof reportError === 'function') reportError(thrown);
  else console.error(thrown);
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}
