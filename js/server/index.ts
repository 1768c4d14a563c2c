// The entry `tinysse/server`: the hub inside Node, Bun and Deno.
export { createHub, type TinysseHub } from './create-hub.js';
export { HubError, type HubErrorCode, type HubErrorDetails, isHubError } from './errors.js';
export type { IdentifyRequest } from './http/reply.js';
export type { HubMetrics } from './metrics.js';
export type { HubOptions, SlowRule, User } from './options.js';
export { createRemote, type RemoteOptions } from './remote/index.js';
export type { AnyUpdate, Audience, CloseOptions, NotifyOptions, PublishedUpdate, UpdateService } from './types.js';
export {
  BackgroundWorker,
  type PollClient,
  type PolledData,
  type PolledValue,
  type Poller,
  type PollFetch,
  type PollOptions,
  type PollRecovery,
  type PollRules,
  type PollUrl,
  type WorkerOptions,
} from './worker/index.js';
