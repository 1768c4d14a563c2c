// Loaded by the first client that shares its connection with other tabs.
import type { Plugin, WasmClient, WasmOptions, WasmSnapshot } from '../loader/wasm.js';
import { joinTabs } from './browser.js';
import type { TabElection } from './election.js';
import type { Session, SharedStatus } from './messages.js';
import type { Frame } from './replay-buffer.js';

/** With these, this tab needs no connection; another one may. */
const resting = new Set(['idle', 'paused']);

/** Returns the plugin that shares one connection among the tabs of a user. Changes `options`. */
export function sharing(options: WasmOptions): Plugin {
  options.share = true;
  return (wasm, changed, forget) => join(wasm, options, changed, forget);
}

/** Puts itself between one client of the wasm and the facade: a follower shows what its leader shows. */
function join(wasm: WasmClient, options: WasmOptions, changed: () => void, forget: () => void): void {
  const own = {
    snapshot: wasm.snapshot.bind(wasm),
    onStatus: wasm.onStatus.bind(wasm),
    start: wasm.start.bind(wasm),
    reconnect: wasm.reconnect.bind(wasm),
    forget: wasm.forget.bind(wasm),
    close: wasm.close.bind(wasm),
  };
  let tab: TabElection | undefined;
  let group = '';
  const part = () => {
    tab?.close();
    tab = undefined;
  };
  const session: Session = {
    lead: (lead) => wasm.lead?.(lead),
    hear: (ticket, frame) => wasm.hear?.(ticket, frame.join('\n')),
    reconnect: own.reconnect,
    forget: () => {
      part();
      forget();
    },
    shown: () => {
      const { status, error, attempt, retryAt, clientId } = own.snapshot();
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
    // The tabs of the former user hear nothing of this one.
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
  wasm.snapshot = () => shown(own.snapshot(), tab);
  wasm.onStatus = (fn) =>
    own.onStatus(
      fn &&
        ((raw) => {
          look(raw);
          fn(shown(raw, tab));
        }),
    );
  wasm.start = () => {
    tab?.reconnect();
    own.start();
  };
  wasm.reconnect = () => {
    tab?.reconnect();
    own.reconnect();
  };
  wasm.forget = () => {
    tab?.forget();
    own.forget();
  };
  wasm.close = () => {
    part();
    own.close();
  };
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
