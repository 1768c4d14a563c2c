// Loaded by the first client that shares its connection with other tabs.
import { subjectOf } from '../subject.js';
import type { Hook, WasmClient, WasmOptions, WasmSnapshot } from '../wasm.js';
import { joinTabs } from './join.js';
import type { Frame } from './relay.js';
import type { Tab } from './tab.js';
import type { Session, Shown } from './words.js';

/** These end a connection that nobody has an interest in; another tab may want one. */
const resting = new Set(['idle', 'paused', 'offline']);

/** Shares one connection among the tabs of a user. Changes `options`. */
export function sharing(options: WasmOptions): Hook {
  let user = options.user ?? '';
  const provider = options.token;
  options.share = true;
  if (provider) {
    options.token = async (ask) => {
      const answer = await provider(ask);
      const subject = options.user || subjectOf(answer);
      if (!subject) return answer;
      user = subject;
      return typeof answer === 'string' ? { token: answer, user } : { ...answer, user };
    };
  }
  return (wasm, _, changed) => join(wasm, options, () => user, changed);
}

/** Stands between one client of the wasm and the facade: what a follower shows is what its leader shows. */
function join(wasm: WasmClient, options: WasmOptions, user: () => string, changed: () => void): void {
  const own = {
    snapshot: wasm.snapshot.bind(wasm),
    onStatus: wasm.onStatus.bind(wasm),
    start: wasm.start.bind(wasm),
    reconnect: wasm.reconnect.bind(wasm),
    close: wasm.close.bind(wasm),
  };
  let tab: Tab | undefined;
  let group = '';
  const session: Session = {
    lead: (lead) => wasm.lead?.(lead),
    hear: (ticket, frame) => wasm.hear?.(ticket, frame.join('\n')),
    reconnect: own.reconnect,
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
  const part = () => {
    tab?.close();
    tab = undefined;
  };
  const follow = (ticket: number, cursor: string) => {
    if (tab?.role === 'alone' || group !== user()) part();
    group = user();
    try {
      const { url, types = [], withCredentials = false } = options;
      tab ??= joinTabs({ url, user: group, types, withCredentials }, session, changed);
      tab.follow(ticket, cursor);
    } catch {
      wasm.lead?.(true); // no channel here, as in a sandboxed frame
    }
  };
  const look = (raw: WasmSnapshot) => {
    if (!resting.has(raw.status)) {
      tab?.shows();
    } else if (tab) {
      part();
      // Whoever wants a connection next follows first.
      wasm.lead?.(false);
    }
  };

  wasm.onTabs?.((what) => {
    if (what.length === 2) follow(...what);
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
  wasm.close = () => {
    part();
    own.close();
  };
}

function shown(raw: WasmSnapshot, tab: Tab | undefined): WasmSnapshot {
  const role = tab?.role ?? 'alone';
  const { leading } = tab ?? {};
  if (!leading || raw.status !== 'open') return { ...raw, role };
  const retryAt = leading.retryAt === null ? null : Math.max(0, leading.retryAt - Date.now());
  return { ...raw, ...leading, retryAt, role } as WasmSnapshot;
}

/** Of an error, what passes through a channel. */
function plain(error: unknown): Shown['error'] {
  if (!error) return null;
  const { code, message, status, retryable } = error as NonNullable<Shown['error']>;
  return { name: 'SseError', code, message, retryable, ...(status === undefined ? {} : { status }) };
}
