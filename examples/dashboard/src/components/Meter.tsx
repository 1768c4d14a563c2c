// The counters: updates, requests, connections.
import { useSyncExternalStore } from 'react';
import { useSSEStatus } from 'tinysse/react';
import { useRefetches } from '../fetches';
import { log } from '../log';

const number = new Intl.NumberFormat('en');

/** The point of it all in figures: many updates, few requests, one connection. */
export function Meter() {
  const { updates, resyncs } = useSyncExternalStore(log.subscribe, log.get);
  const refetches = useRefetches();
  const connects = useSSEStatus((s) => s.connects);
  return (
    <dl className="meter">
      <Figure label="Updates" value={updates} testid="updates" />
      <Figure label="Refetches" value={refetches} testid="refetches" />
      <Figure label="Connects" value={connects} testid="connects" />
      <Figure label="Resyncs" value={resyncs} testid="resyncs" />
    </dl>
  );
}

function Figure({ label, value, testid }: { label: string; value: number; testid: string }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd data-testid={testid} data-value={value}>
        {number.format(value)}
      </dd>
    </div>
  );
}
