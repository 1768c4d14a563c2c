// The background worker of `tinysse/server`, as applications import it.
export { BackgroundWorker } from './background-worker.js';
export type {
  PollClient,
  PolledData,
  PollFetch,
  PollOptions,
  PollRecovery,
  PollRules,
  PollUrl,
  WorkerOptions,
} from './options.js';
export type { PolledValue, Poller } from './task.js';
