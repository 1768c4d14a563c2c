// What a hub counts, for programs and as the text format of Prometheus. The names are those of the
// Rust server, where both count the same.
import type { Counters } from './http/router.js';
import type { HubCounts } from './hub/instance.js';

/** What a hub counts. */
export interface HubMetrics extends Readonly<Omit<HubCounts, 'resyncs'>> {
  /** Streams that were opened, by transport. */
  readonly opened: Readonly<Record<'native' | 'fetch', number>>;
  /** Clients that were sent away with a time to come back, by transport. */
  readonly shed: Readonly<Record<'native' | 'fetch', number>>;
  /** Updates in the log since the start, by type; those past the first 64 types as `other`. */
  readonly updates: Readonly<Record<string, number>>;
  /** Updates that were refused, by code. */
  readonly updatesRefused: Readonly<Record<string, number>>;
  /** Requests refused with 401, 403 or 429, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Clients that were notified of missed updates, by gap. */
  readonly resyncs: Readonly<Record<string, number>>;
}

/** Puts together what is counted in several places. */
export function metricsOf(
  counts: HubCounts,
  counters: Counters,
  published: ReadonlyMap<string, number>,
  refused: ReadonlyMap<string, number>,
): HubMetrics {
  return {
    ...counts,
    opened: { ...counters.opened },
    shed: { ...counters.shed },
    updates: Object.fromEntries(published),
    updatesRefused: Object.fromEntries(refused),
    refused: Object.fromEntries(counters.refused),
  };
}

type Row = readonly [name: string, kind: 'counter' | 'gauge', help: string, samples: Samples];
type Samples = number | { readonly label: string; readonly values: Readonly<Record<string, number>> };

/** Writes metrics in the text format of Prometheus, version 0.0.4. */
export function prometheus(metrics: HubMetrics): string {
  const by = (label: string, values: Readonly<Record<string, number>>) => ({ label, values });
  const rows: Row[] = [
    ['streams_open', 'gauge', 'Streams that are open.', metrics.streams],
    ['streams_opened_total', 'counter', 'Streams that were opened, by transport.', by('transport', metrics.opened)],
    ['streams_shed_total', 'counter', 'Clients sent away with a time to come back.', by('transport', metrics.shed)],
    ['updates_total', 'counter', 'Updates taken into the log, by type.', by('type', metrics.updates)],
    ['updates_refused_total', 'counter', 'Updates refused.', by('why', metrics.updatesRefused)],
    ['updates_coalesced_total', 'counter', 'Updates that a later one replaced.', metrics.coalesced],
    ['updates_skipped_total', 'counter', 'Places of the log that slow streams were moved over.', metrics.skipped],
    ['updates_passed_over_total', 'counter', 'Updates that slow readers did without.', metrics.passedOver],
    ['frames_total', 'counter', 'Frames of updates given to streams.', metrics.frames],
    ['frames_replayed_total', 'counter', 'Frames older than the stream they were given to.', metrics.replayed],
    ['beats_total', 'counter', 'Beats given to silent streams.', metrics.beats],
    [
      'replays_total',
      'counter',
      'Streams that showed a cursor: hit if they resumed there.',
      by('result', { hit: metrics.hits, miss: metrics.misses }),
    ],
    ['resyncs_total', 'counter', 'Clients notified of missed updates, by gap.', by('gap', metrics.resyncs)],
    ['auth_failures_total', 'counter', 'Requests refused, by code.', by('code', metrics.refused)],
    ['log_updates', 'gauge', 'Updates kept for replay.', metrics.logCount],
    ['log_bytes', 'gauge', 'Bytes of the updates kept for replay.', metrics.logBytes],
  ];
  return rows.map(lines).join('');
}

function lines([name, kind, help, samples]: Row): string {
  const full = `tinysse_${name}`;
  const head = `# HELP ${full} ${help}\n# TYPE ${full} ${kind}\n`;
  if (typeof samples === 'number') return `${head}${full} ${samples}\n`;
  const { label, values } = samples;
  const rows = Object.entries(values).map(([value, count]) => `${full}{${label}="${escaped(value)}"} ${count}\n`);
  return head + rows.join('');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
