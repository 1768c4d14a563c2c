// A publisher to a `tinysse-server`: the same service as a hub in this process, over HTTP.
import type { Updates } from '../../model/update.js';
import type { UpdateService } from '../types.js';
import { checkRemote, type RemoteOptions } from './options.js';
import { Remote } from './remote.js';

export type { RemoteOptions, RemoteRequest } from './options.js';

/**
 * Makes an {@link UpdateService} that publishes to a `tinysse-server`.
 *
 * ```ts
 * const updateService = createRemote<{ projects: undefined }>({ url: 'http://127.0.0.1:8080', key });
 * updateService.notify('projects'); // never throws, never waits
 * ```
 *
 * - Updates arrive in their order, at most once, and are repeated until the server has them. One
 *   request is on its way at a time; what waits meanwhile is sent together. The server remembers
 *   requests for five minutes: one whose answer was lost and that is repeated later than that may
 *   arrive twice.
 * - What the queue has no space for is not sent. Its type is announced to every client as soon as
 *   the server answers, so that they refetch it.
 * - An update that the server refuses for good does not hold up the others. A wrong key does: an
 *   operator can repair it, and nothing is lost meanwhile.
 * - With `queue.file` a kill of this process loses nothing that was accepted. Without it, what
 *   waits ends with the process.
 * - Listeners of `subscribe` receive what this process published, once the server has it. `watch`
 *   always reports `true`: who looks is known to the server alone.
 * - What waits for its next attempt does not keep the process alive, and a request on its way does
 *   for `timeout` at most; {@link UpdateService.close} does, for its time.
 *
 * Throws a {@link HubError} with the code `options`, whose `option` is the name of what is wrong.
 */
export function createRemote<U = Updates>(options: RemoteOptions): UpdateService<U> {
  return new Remote<U>(checkRemote(options));
}
