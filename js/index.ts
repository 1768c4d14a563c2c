/**
 * One live connection that reports what changed.
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
export type { Client, SubscribeOptions, Unsubscribe } from './model/client.js';
export { isSseError, SseError, type SseErrorCode, type SseErrorDetails } from './model/errors.js';
export type {
  ClientOptions,
  LogEntry,
  PersistOptions,
  StorageLike,
  TokenAnswer,
  TokenAsk,
  TokenProvider,
  TokenReason,
  WasmSource,
} from './model/options.js';
export type { Gap, Resync, Role, Snapshot, Status } from './model/snapshot.js';
export type { ClientStats, Connects, Gaps, Latency } from './model/stats.js';
export type { MatchingTypes, Pattern, Register, Update, Updates, UpdateType } from './model/update.js';
