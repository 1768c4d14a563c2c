// The statistics of a client. Loaded by the first `stats()`.

import type { TracedInput, WasmClient } from '../loader/wasm.js';
import type { Client } from '../model/client.js';
import type { Counters } from '../model/counters.js';
import { redact } from '../model/redact.js';
import type { ClientStats, Connects, Gaps, Latency } from '../model/stats.js';

/** In the order of `Why::ALL` in `src/proto/session/io.rs`. */
const whys = ['initial', 'manual', 'glitch', 'retry', 'token', 'rotate', 'wake', 'handover', 'probe'] as const;
/** In the order of `Gap::ALL` in `src/proto/wire/control.rs`, whose first means no gap. */
const gaps = ['none', 'first', 'epoch', 'trimmed', 'unknown', 'overflow', 'rights'] as const;

/**
 * What the wasm counts beyond its snapshot: numbers in the order of `Why::ALL` and `Gap::ALL`, and
 * its last inputs.
 */
export interface Inside {
  connects: number[];
  gaps: number[];
  transitions: string[];
}

/** Looks inside. */
export function inside(wasm: WasmClient | undefined): Inside {
  const { counts, trace, inputs } = wasm?.inspect?.() ?? { counts: [], trace: '', inputs: [] };
  return {
    connects: counts.slice(0, whys.length),
    gaps: counts.slice(whys.length),
    transitions: trace ? trace.split('\n') : inputs.map(lineOf),
  };
}

/** In the order of the words of `_notify` in `src/web/bindings.js`. */
const words =
  'tick frame opened lost token token pause resume wake answer probed start stop reconnect forget follow lead user';
const losses = 'retrying dropped closed forbidden unusable';
const pauses = { 1: 'user', 2: 'offline', 4: 'page', 8: 'hidden' } as const;

/** An input as a line of the trace that other builds keep (`src/proto/session/trace.rs`). */
function lineOf([at, word, ticket, number, wait, type, id, line]: TracedInput): string {
  const name = words.split(' ')[word] ?? `word ${word}`;
  const more = [];
  if (ticket > 0) more.push(ticket);
  if (type === 'tinysse.update') more.push(id || '-', line);
  else if (type) more.push(id || '-', type, line || '');
  if (name === 'lost') more.push(losses.split(' ')[number] ?? number);
  if (word === 4) more.push(number < 0 ? 'is t' : `is t lives ${number}`);
  if (word === 5) more.push(number >= 400 ? `refused ${number}` : number === 1 ? 'nonsense' : 'failed');
  if (name === 'pause' || name === 'resume') more.push(pauses[number as keyof typeof pauses] ?? number);
  if (name === 'answer' || name === 'probed') more.push(number % 1000, ...(wait > 0 ? ['wait', wait] : []));
  return `@${Math.floor(at)} <- ${[name, ...more].join(' ').trim()}`;
}

/**
 * Puts together what wasm, coordinator, iterators and facade counted; `late` are the buckets of
 * {@link Latency}, with holes.
 */
export function inspect(
  client: Client<never>,
  wasm: WasmClient | undefined,
  late: readonly number[],
  { refetches, saved, dropped }: Counters,
): ClientStats {
  const { connects, gaps: lost, transitions } = inside(wasm);
  const snapshot = client.getSnapshot();
  return {
    ...snapshot,
    connects: named(whys, connects) satisfies Connects,
    gaps: named(gaps.slice(1) as Exclude<(typeof gaps)[number], 'none'>[], lost.slice(1)) satisfies Gaps,
    dropped,
    refetches,
    refetchesSaved: saved,
    latency: latency(late),
    transitions: transitions.map((line) => redact(line)),
  };
}

function named<Name extends string>(names: readonly Name[], counts: readonly number[] = []): Record<Name, number> {
  return Object.fromEntries(names.map((name, at) => [name, counts[at] ?? 0])) as Record<Name, number>;
}

/** The histogram of buckets that are twice as wide each. */
export function latency(late: readonly number[]): Latency {
  const buckets = Array.from(late, (count) => count ?? 0);
  const count = buckets.reduce((sum, one) => sum + one, 0);
  return {
    count,
    buckets,
    p50: quantile(buckets, count, 0.5),
    p95: quantile(buckets, count, 0.95),
    p99: quantile(buckets, count, 0.99),
  };
}

function quantile(buckets: readonly number[], count: number, q: number): number {
  let left = q * count;
  for (const [i, inside] of buckets.entries()) {
    if (inside > 0 && left <= inside) {
      const from = i === 0 ? 0 : 2 ** (i - 1);
      return from + (2 ** i - from) * (left / inside);
    }
    left -= inside;
  }
  return 0;
}
