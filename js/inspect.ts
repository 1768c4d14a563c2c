// Loaded by the first `snapshot()`.
import type { Connects, Detail, Gaps, Latency } from './detail.js';
import { redact } from './redact.js';
import { tallyOf } from './tally.js';
import type { Client } from './types.js';
import type { WasmClient } from './wasm.js';

const noConnects: Connects = {
  initial: 0,
  retry: 0,
  glitch: 0,
  token: 0,
  rotate: 0,
  wake: 0,
  manual: 0,
  handover: 0,
};
const noGaps: Gaps = { first: 0, epoch: 0, trimmed: 0, unknown: 0, overflow: 0, rights: 0 };

/** Puts together what wasm, coordinator, iterators and facade counted; `late` are the buckets of {@link Latency}, with holes. */
export function inspect(client: Client<never>, wasm: WasmClient | undefined, late: readonly number[]): Detail {
  const seen = wasm?.inspect?.();
  const { refetches, saved, dropped } = tallyOf(client);
  const snapshot = client.getSnapshot();
  return {
    ...snapshot,
    ...seen,
    connects: { ...noConnects, ...seen?.connects },
    gaps: { ...noGaps, ...seen?.gaps },
    dropped: (seen?.dropped ?? snapshot.dropped ?? 0) + dropped,
    refetches,
    refetchesSaved: saved,
    latency: latency(late),
    transitions: (seen?.transitions ?? []).map((line) => redact(line)),
  };
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
