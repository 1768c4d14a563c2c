// Features that few applications use, and none at the start: loaded by the first use of any of
// them. What the entry has too, it is given: bundlers would move a module that both import into a
// chunk of its own, which is a request more for each page.

import type { Plugin, WasmOptions } from '../loader/wasm.js';
import type { Client } from '../model/client.js';
import type { ClientOptions } from '../model/options.js';
import { logging } from './log.js';
import { keep } from './persist.js';

export { forget } from './persist.js';
export { inspect } from './stats.js';

/**
 * Returns the plugins that these options ask for; `debug` is the value of
 * `localStorage['tinysse.debug']`. They change `options`.
 */
export function plugins(
  client: Client<Record<string, unknown>>,
  options: WasmOptions,
  { log, persist }: Pick<ClientOptions, 'log' | 'persist'>,
  debug: string | null,
  report: (thrown: unknown) => void,
): Plugin[] {
  const wanted: Plugin[] = [];
  if (log || debug) wanted.push(logging(client, options, { log, debug, report }));
  if (persist) keep(client, options, persist);
  return wanted;
}
