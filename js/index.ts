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
export type { Connects, Detail, Gaps, Latency } from './detail.js';
export { isSseError, SseError, type SseErrorCode, type SseErrorDetails } from './errors.js';
export type {
  Client,
  ClientOptions,
  Gap,
  LogEntry,
  Matched,
  Off,
  Pattern,
  PersistOptions,
  Register,
  Resync,
  Role,
  Snapshot,
  Status,
  StorageLike,
  TokenAnswer,
  TokenAsk,
  TokenProvider,
  TokenReason,
  Until,
  Update,
  Updates,
  UpdateType,
  WasmSource,
} from './types.js';
