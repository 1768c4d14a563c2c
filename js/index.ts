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
export { createClient } from './client/client.js';
export { isSseError, SseError, type SseErrorCode, type SseErrorDetails } from './model/errors.js';
export type { Connects, Detail, Gaps, Latency } from './model/stats.js';
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
} from './model/types.js';
