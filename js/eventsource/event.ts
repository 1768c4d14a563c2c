// The error event of the class, with the reason.
import type { SseError } from '../model/errors.js';

/** What an {@link EventSourceErrorEvent} is made of. */
export interface ErrorEventInit extends EventInit {
  /** For people. Default: empty. */
  message?: string | undefined;
  /** The HTTP status, if there was a response that is no stream. */
  status?: number | undefined;
  /** The failure as a typed error. */
  error?: SseError | undefined;
}

/**
 * The `error` event, which in the standard carries nothing but its type.
 *
 * ```ts
 * source.onerror = (event) => console.warn(event.message, event.status, source.readyState);
 * ```
 *
 * With `readyState` `CONNECTING` the source is about to reconnect, with `CLOSED` it gave up.
 */
export class EventSourceErrorEvent extends Event {
  /** For people. */
  readonly message: string;
  /** The HTTP status, if there was an answer that is no stream. */
  readonly status: number | undefined;
  /**
   * The same failure as a typed error: its `code` is `network`, `http`, `unauthorized`, `token`,
   * `protocol`, `csp`, `wasm` or `options`.
   */
  readonly error: SseError | undefined;

  constructor(type: string, { message, status, error, ...init }: ErrorEventInit = {}) {
    super(type, init);
    this.message = message ?? '';
    this.status = status;
    this.error = error;
  }

  /** The same as {@link status}, under the name that the npm package `eventsource` gave it. */
  get code(): number | undefined {
    return this.status;
  }
}
