// Loaded by the first client that shares its connection with other tabs.
import type { Plugin, WasmClient, WasmOptions, WasmSnapshot } from '../loader/wasm.js';
import { joinTabs } from './browser.js';
import type { TabElection } from './election.js';
import type { SharedStatus, TabClient } from './messages.js';
import type { Frame } from './replay-buffer.js';

/** With these, this tab needs no connection; another one may. */
const resting = new Set(['idle', 'paused']);

/** Returns the plugin that shares one connection among the tabs of a user. Changes `options`. */
export function sharing(options: WasmOptions): Plugin {
  options.share = true;
  return (wasm, changed, forget) => shared(wasm, options, changed, forget);
}

/**
 * Returns a client like `wasm` whose snapshot, in a follower, is that of its leader, and whose ends
 * reach the other tabs.
 */
function shared(wasm: WasmClient, options: WasmOptions, changed: () => void, forget: () => void): WasmClient {
  let tab: TabElection | undefined;
  let group = '';
  const part = () => {
    tab?.close();
    tab = undefined;
  };
  const session: TabClient = {
    lead: (lead) => wasm.lead?.(lead),
    relay: (ticket, frame) => wasm.hear?.(ticket, frame.join('\n')),
    reconnect: () => wasm.reconnect(),
    forget: () => {
      part();
      forget();
    },
    shown: () => {
      const { status, error, attempt, retryAt, clientId } = wasm.snapshot();
      return {
        status,
        error: plain(error),
        attempt,
        retryAt: retryAt === null ? null : Date.now() + retryAt,
        clientId,
      };
    },
  };
  const follow = (ticket: number, cursor: string, user: string) => {
    if (tab?.role === 'alone' || group !== user) part();
    group = user;
    try {
      const { url, types = [], withCredentials = false } = options;
      tab ??= joinTabs({ url, user: group, types, withCredentials }, session, changed);
      tab.follow(ticket, cursor);
    } catch {
      wasm.lead?.(true); // no channel here, as in a sandboxed frame
    }
  };
  const look = (raw: WasmSnapshot) => {
    // The tabs of the former user receive nothing from this one.
    if (tab && (raw.user ?? '') !== group) part();
    if (!resting.has(raw.status)) {
      tab?.shows();
    } else if (tab) {
      part();
      // A connection that is wanted next begins by following.
      wasm.lead?.(false);
    }
  };

  wasm.onTabs?.((what) => {
    if (typeof what[0] === 'number') follow(...(what as [number, string, string]));
    else tab?.passed(what as Frame);
  });
  const overrides: Partial<WasmClient> = {
    snapshot: () => shown(wasm.snapshot(), tab),
    onStatus: (fn) =>
      wasm.onStatus(
        fn &&
          ((raw) => {
            look(raw);
            fn(shown(raw, tab));
          }),
      ),
    start: () => {
      tab?.reconnect();
      wasm.start();
    },
    reconnect: () => {
      tab?.reconnect();
      wasm.reconnect();
    },
    forget: () => {
      tab?.forget();
      wasm.forget();
    },
    close: () => {
      part();
      wasm.close();
    },
    free: () => wasm.free(),
  };
  // Every other method is that of `wasm`.
  return Object.assign(Object.create(wasm), overrides);
}

function shown(raw: WasmSnapshot, tab: TabElection | undefined): WasmSnapshot {
  const role = tab?.role ?? 'alone';
  const { leading } = tab ?? {};
  if (!leading || raw.status !== 'open') return { ...raw, role };
  const retryAt = leading.retryAt === null ? null : Math.max(0, leading.retryAt - Date.now());
  return { ...raw, ...leading, retryAt, role } as WasmSnapshot;
}

/** Of an error, what passes through a channel. */
function plain(error: unknown): SharedStatus['error'] {
  if (!error) return null;
  const { code, message, status, retryable } = error as NonNullable<SharedStatus['error']>;
  return { name: 'SseError', code, message, retryable, ...(status === undefined ? {} : { status }) };
}
