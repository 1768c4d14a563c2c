// The words that Rust and JavaScript share, one list for each vocabulary.
//
// Rust has the same lists in `src/proto`; a test compares them. Where a comment names an order,
// numbers cross the border in that order.

/**
 * Control frames of tinysse/1: `tinysse.` and one of these. Other names with that prefix are
 * reserved, and every reader ignores them.
 */
export const CONTROL_FRAMES = ['update', 'hello', 'beat', 'resync', 'bye'] as const;

/**
 * Why updates may be missing, in the order in which the wasm counts them; `none` means that nothing
 * is missing.
 */
export const GAPS = ['none', 'first', 'epoch', 'trimmed', 'unknown', 'overflow', 'rights'] as const;

/** Why a stream was opened, in the order in which the wasm counts them. */
export const CONNECT_REASONS = [
  'initial',
  'manual',
  'glitch',
  'retry',
  'token',
  'rotate',
  'wake',
  'handover',
  'probe',
] as const;

/** Why the token provider is asked. */
export const TOKEN_REASONS = ['initial', 'expired', 'rejected', 'revoked', 'manual'] as const;

/** What the connection does. */
export const STATUSES = ['idle', 'connecting', 'open', 'reconnecting', 'offline', 'paused', 'failed'] as const;

/** What a tab is to the other tabs of its user. */
export const ROLES = ['alone', 'candidate', 'leader', 'follower'] as const;

/** The kinds of failure that the core reports. */
export const CORE_ERROR_CODES = [
  'unauthorized',
  'user',
  'network',
  'http',
  'protocol',
  'token',
  'csp',
  'options',
] as const;

/** Every kind of failure: those of the core, and those of JavaScript alone. */
export const ERROR_CODES = [...CORE_ERROR_CODES, 'wasm', 'overflow'] as const;

/** Query parameters of `GET /events`. */
export const PARAMETERS = ['token', 'lastEventId', 'types', 'wire'] as const;

/** Inputs of the session, by the numbers with which the page reports them. */
export const INPUTS = [
  'tick',
  'frame',
  'opened',
  'lost',
  'token',
  'token',
  'pause',
  'resume',
  'wake',
  'answer',
  'probed',
  'start',
  'stop',
  'reconnect',
  'forget',
  'follow',
  'lead',
  'user',
] as const;

/** How a stream was lost, by the numbers with which the page reports it. */
export const LOSSES = ['retrying', 'dropped', 'closed', 'forbidden', 'unusable'] as const;
