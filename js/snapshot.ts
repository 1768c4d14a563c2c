import { asSseError, type SseError } from './errors.js';
import type { Snapshot } from './types.js';
import type { WasmSnapshot } from './wasm.js';

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
});

/** `previous` itself if the wasm says nothing new, else a frozen snapshot. `now` is in milliseconds since 1970. */
export function adopt(previous: Snapshot, raw: WasmSnapshot, now: number): Snapshot {
  const error = sameOrNew(previous.error, raw.error);
  const next: Snapshot = { ...raw, error, retryAt: retryAt(previous, raw, now) };
  const same = (Object.keys(idle) as (keyof Snapshot)[]).every((name) => Object.is(previous[name], next[name]));
  return same ? previous : Object.freeze(next);
}

/** The wasm counts from now, so its number changes at every look; the moment that it means does not. */
function retryAt(previous: Snapshot, raw: WasmSnapshot, now: number): number | null {
  if (raw.retryAt === null) return null;
  const sameWait = previous.retryAt !== null && previous.attempt === raw.attempt && previous.status === raw.status;
  const moment = now + raw.retryAt;
  // A wait can be cut short (the page came back, the network too): then it is another moment, beyond any rounding.
  if (sameWait && previous.retryAt !== null && Math.abs(moment - previous.retryAt) < 50) return previous.retryAt;
  return moment;
}

function sameOrNew(previous: SseError | null, raw: unknown): SseError | null {
  if (raw === null || raw === undefined) return null;
  const error = asSseError(raw, 'network');
  const same =
    previous !== null &&
    previous.code === error.code &&
    previous.message === error.message &&
    previous.status === error.status &&
    previous.retryable === error.retryable;
  return same ? previous : error;
}
