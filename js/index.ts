/**
 * One live connection that says what changed.
 *
 * ```ts
 * import { createClient } from 'tinysse';
 *
 * const sse = createClient({ url: '/events' });
 * sse.subscribe('projects', () => reload());
 * const release = sse.acquire();
 * ```
 *
 * @packageDocumentation
 */
export { createClient } from './client.js';
export { isSseError, SseError, type SseErrorCode, type SseErrorDetails } from './errors.js';
export type {
  Client,
  ClientOptions,
  Gap,
  Matched,
  Pattern,
  Register,
  Resync,
  Snapshot,
  Status,
  TokenAnswer,
  TokenAsk,
  TokenProvider,
  TokenReason,
  Update,
  Updates,
  UpdateType,
  WasmSource,
} from './types.js';
