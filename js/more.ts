// What few want and nobody needs at the start: loaded by the first who asks for any of it.
import { logging } from './log.js';
import { keep } from './persist.js';
import type { Client, ClientOptions } from './types.js';
import type { Hook, WasmOptions } from './wasm.js';

export { inspect } from './inspect.js';
export { forget } from './persist.js';

/** What hooks these options ask for; `debug` is what `localStorage['tinysse.debug']` says. They change `options`. */
export function hooks(
  client: Client<Record<string, unknown>>,
  options: WasmOptions,
  { log, persist }: Pick<ClientOptions, 'log' | 'persist'>,
  debug: string | null,
): Hook[] {
  const hooks: Hook[] = [];
  if (log || debug) hooks.push(logging(client, options, { log, debug }));
  if (persist) keep(client, options, persist);
  return hooks;
}
