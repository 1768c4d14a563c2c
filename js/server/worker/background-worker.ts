// The background worker: asks other servers for values and notifies what changed.
import type { Updates, UpdateType } from '../../model/update.js';
import { badOption, HubError } from '../errors.js';
import type { NotifyOptions, UpdateService } from '../types.js';
import { overClient, overHttp } from './ask.js';
import { type CheckedPoll, checkPoll, checkWorker } from './check.js';
import { Comparison } from './compare.js';
import { dataOf } from './data.js';
import type { PolledData, PollOptions, PollRecovery, WorkerOptions } from './options.js';
import { PollerState } from './state.js';
import { type PolledValue, type Poller, PollTask } from './task.js';
import { runtimeTimers, type WorkerTimers } from './timers.js';

/**
 * Polls other servers, and notifies clients only when a value changed.
 *
 * ```ts
 * const worker = new BackgroundWorker(updateService);
 * worker.poll({ type: 'progress', url: 'http://127.0.0.1:3000/state' });
 * worker.poll({ type: 'weather', fetch: (signal) => weather.current(signal), every: 30_000 });
 * app.get('/api/progress', (_, response) => response.json(worker.value('progress')?.data ?? null));
 * ```
 *
 * - Asks only while a stream is open that may receive the type, and at once when the first one
 *   opens, but never sooner than `every` after the last answer. Never two requests at once for one
 *   poller: a slow server delays the next request, and none is made up for.
 * - The first value is notified as well, since pages may show that there is no value. So is
 *   that a value became stale, and that it is fresh again.
 * - After a failure the pause is random between `every` and twice that, a range that doubles with
 *   each failure in a row up to 30 seconds (or `every`, if that is longer), and at least as long as
 *   `Retry-After` asks for, up to an hour.
 * - Asks with `If-None-Match` and `If-Modified-Since`, follows no redirects.
 * - While the server fails, {@link value} returns the last value, with its age.
 * - Its timers keep no process alive.
 *
 * Memory: for each poller one value, and where JSON is compared its text, as it came and in the
 * form that is compared.
 */
export class BackgroundWorker<U = Updates> {
  readonly #service: UpdateService<U>;
  readonly #options: WorkerOptions;
  readonly #timers: WorkerTimers;
  readonly #tasks = new Map<string, PollTask<unknown>>();
  #isStopped = false;
  readonly #stop = () => this.stop();

  /**
   * Ends when the service is closed. `timers` is for tests.
   *
   * Throws a {@link HubError} with the code `options` for wrong options.
   */
  constructor(updateService: UpdateService<U>, options: WorkerOptions = {}, timers: WorkerTimers = runtimeTimers) {
    if (typeof updateService?.notify !== 'function' || typeof updateService.watch !== 'function') {
      throw badOption('updateService', 'what `createHub` returns, or another UpdateService');
    }
    this.#service = updateService;
    this.#options = checkWorker(options);
    this.#timers = timers;
    const { closed } = updateService;
    if (closed.aborted) this.stop();
    else closed.addEventListener('abort', this.#stop, { once: true });
  }

  /**
   * Begins to poll. Returns the poller.
   *
   * Throws a {@link HubError}: `options` for wrong options and for a type that is polled already,
   * `closed` if the worker is stopped.
   *
   * ```ts
   * worker.poll({ type: 'orders', url, headers: { 'x-api-key': key }, to: 'role:sales' });
   * ```
   */
  poll<T extends UpdateType<U>, V = PolledData<U, T>>(options: PollOptions<U, T, V>): Poller<V> {
    const checked = checkPoll<V>(options);
    const { type } = checked;
    if (this.#isStopped) throw new HubError('closed', `${type} is not polled: the worker is stopped`);
    if (this.#tasks.has(type)) throw badOption('poll.type', `\`${type}\` is polled already; stop that poller first`);
    const task = this.#taskOf(type as T, checked);
    this.#tasks.set(type, task as PollTask<unknown>);
    return task;
  }

  /**
   * Returns the last known value of a type; `undefined` before the first good answer and for a type
   * that is not polled. After {@link stop} it is still there.
   */
  value<T extends UpdateType<U>, V = PolledData<U, T>>(type: T): PolledValue<V> | undefined {
    return this.#tasks.get(type)?.value() as PolledValue<V> | undefined;
  }

  /**
   * Asks for a value now; see {@link Poller.refresh}. Never rejects.
   *
   * Throws a {@link HubError} with the code `options` for a type that is not polled.
   *
   * ```ts
   * await startJob();
   * await worker.refresh('progress');
   * ```
   */
  refresh<T extends UpdateType<U>, V = PolledData<U, T>>(type: T): Promise<PolledValue<V> | undefined> {
    const task = this.#tasks.get(type);
    if (!task) throw badOption('refresh.type', `\`${type}\` is not polled`);
    return task.refresh() as Promise<PolledValue<V> | undefined>;
  }

  /** Ends all pollers for good. Requests under way are aborted. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#service.closed.removeEventListener('abort', this.#stop);
    for (const task of this.#tasks.values()) task.stop();
  }

  #taskOf<T extends UpdateType<U>, V>(type: T, checked: CheckedPoll<V>): PollTask<V> {
    const { every, maxStale, to, key, timeout, source, send } = checked;
    const comparison = new Comparison(checked.detect);
    const rules = { every, maxStale, isSame: comparison.isSame.bind(comparison) };
    const { onError = logError, onRecover = logRecovery } = this.#options;
    const task: PollTask<V> = new PollTask<V>({
      type,
      to,
      key,
      timeout,
      timers: this.#timers,
      state: new PollerState<V>(rules, this.#timers.random),
      source: typeof source === 'function' ? overClient(source, comparison) : overHttp(source, comparison),
      dataOf: (value) => dataOf(value, send, comparison),
      notify: (options) => this.#service.notify(type, options as NotifyOptions<U[T]>),
      watch: (listener) => this.#service.watch(type, to, listener),
      onError: (error) => onError(error, type),
      onRecover,
      onStop: () => {
        if (!this.#isStopped) this.#tasks.delete(type);
      },
    });
    return task;
  }
}

function logError(error: HubError): void {
  console.error(`tinysse: ${error.message}`);
}

function logRecovery({ type, failures, duration }: PollRecovery): void {
  const times = failures === 1 ? 'failure' : 'failures';
  console.info(`tinysse: polling ${type} works again after ${failures} ${times} in ${(duration / 1_000).toFixed(1)} s`);
}
