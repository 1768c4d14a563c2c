// The one error class of `tinysse/server`.

/**
 * Why something was refused. The codes of refused requests and updates are those of the Rust server
 * (`docs/errors.md`); besides them:
 *
 * | code | meaning |
 * |---|---|
 * | `options` | an option is missing, unknown or wrong; `option` names it |
 * | `closed` | the service was closed |
 * | `queue_full` | more waits for the server than the queue may hold; a resync announces the loss |
 * | `unreachable` | the server could not be reached in time |
 * | `unauthorized` | the server refuses this publisher; updates wait until that is repaired |
 * | `journal` | the file of the queue is damaged or cannot be written |
 * | `rejected` | the server refused the request for good; `status` and the message have the reason |
 * | `unavailable` | the log did not take the update in time |
 * | `poll_failed` | a polled API failed; its last value is kept |
 * | `listener` | a listener of the application threw |
 * | `hub_failed` | the hub stopped by a defect and began anew, with a new epoch |
 */
export type HubErrorCode =
  | 'options'
  | 'closed'
  | 'queue_full'
  | 'unreachable'
  | 'rejected'
  | 'unauthorized'
  | 'journal'
  | 'hub_failed'
  | 'unavailable'
  | 'poll_failed'
  | 'listener'
  | 'bad_type'
  | 'reserved_type'
  | 'bad_audience'
  | 'bad_field'
  | 'bad_json'
  | 'update_too_large'
  | (string & {});

/** What a {@link HubError} is made of beside its message. */
export interface HubErrorDetails {
  /** The HTTP status of a refused request. */
  status?: number | undefined;
  /** The option that is wrong, as in `log.maxCount`. */
  option?: string | undefined;
  /** When to try again, in seconds. */
  retryAfter?: number | undefined;
  /** What was thrown below. */
  cause?: unknown;
}

/**
 * The one error class of `tinysse/server`.
 *
 * ```ts
 * await updateService.publish('projects').catch((error) => {
 *   if (isHubError(error) && error.code === 'queue_full') metrics.lost.inc();
 * });
 * ```
 */
export class HubError extends Error {
  /** Always `HubError`: it identifies the class across copies of this package. */
  override readonly name = 'HubError';
  /** Which kind of failure; the message is for people, this is for programs. */
  declare readonly code: HubErrorCode;
  /** The HTTP status of a refused request. */
  declare readonly status: number | undefined;
  /** The option that is wrong. */
  declare readonly option: string | undefined;
  /** When to try again, in seconds. */
  declare readonly retryAfter: number | undefined;

  constructor(code: HubErrorCode, message: string, details: HubErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
    this.option = details.option;
    this.retryAfter = details.retryAfter;
  }
}

/** True for a {@link HubError}, whichever copy of this package made it. */
export function isHubError(value: unknown): value is HubError {
  return (value as HubError | undefined)?.name === 'HubError' && typeof (value as HubError).code === 'string';
}

/** Makes the error of a wrong option. */
export function badOption(option: string, message: string): HubError {
  return new HubError('options', `tinysse/server: option \`${option}\`: ${message}`, { option });
}
