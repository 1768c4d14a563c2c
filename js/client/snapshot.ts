// Snapshots of the client's state, and when a new one replaces the last.
import type { WasmSnapshot } from '../loader/wasm.js';
import { asSseError, type SseError } from '../model/errors.js';
import type { Snapshot } from '../model/snapshot.js';

/** Nothing wanted, nothing known. Also what a server renders. */
export const idle: Snapshot = Object.freeze({
  status: 'idle',
  error: null,
  clientId: null,
  lastEventId: '',
  attempt: 0,
  retryAt: null,
  connects: 0,
  events: 0,
  duplicates: 0,
  resyncs: 0,
  bytes: 0,
  coalesced: 0,
  dropped: 0,
  role: 'alone',
  user: null,
});

const names = Object.keys(idle) as (keyof Snapshot)[];
const what = ['code', 'message', 'status', 'retryable'] as const;

/**
 * Returns `previous` itself if the wasm reports nothing new, else a frozen snapshot. `now` is in
 * milliseconds since 1970.
 */
export function adopt(previous: Snapshot, raw: WasmSnapshot, now: number): Snapshot {
  const error = sameOrNew(previous.error, raw.error);
  const next: Snapshot = { ...idle, ...raw, error, retryAt: retryAt(previous.retryAt, raw.retryAt, now) };
  return names.every((name) => previous[name] === next[name]) ? previous : Object.freeze(next);
}

/**
 * The wasm counts from now, so its number changes at every look; the moment that it means does not,
 * beyond rounding.
 */
function retryAt(previous: number | null, wait: number | null, now: number): number | null {
  if (wait === null) return null;
  return previous && Math.abs(previous - wait - now) < 50 ? previous : wait + now;
}

function sameOrNew(previous: SseError | null, raw: unknown): SseError | null {
  if (!raw) return null;
  const error = asSseError(raw, 'network');
  return previous && what.every((name) => previous[name] === error[name]) ? previous : error;
}
