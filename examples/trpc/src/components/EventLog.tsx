// Every update that the page received, newest first.
import { useEffect, useState } from 'react';
import { useSSEEvent, useSSEStatus } from 'tinysse/react';
import { sse } from '../sse';

interface Entry {
  readonly number: number;
  readonly type: string;
  readonly id: string;
  readonly from: string;
}

const KEPT = 100;

export function EventLog() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const connects = useSSEStatus((snapshot) => snapshot.connects);
  const add = (entry: Omit<Entry, 'number'>) =>
    setEntries((before) => [{ ...entry, number: (before[0]?.number ?? 0) + 1 }, ...before].slice(0, KEPT));
  useSSEEvent('*', ({ type, id, origin }) => {
    add({ type, id, from: origin === sse.origin ? 'this tab' : origin ? 'another tab' : 'server' });
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `add` changes nothing but this state.
  useEffect(() => sse.onResync(({ gap }) => add({ type: 'resync', id: '', from: gap })), []);
  return (
    <section className="log" aria-labelledby="log-title">
      <div className="log-head">
        <h2 id="log-title">Updates</h2>
        <p className="cursor">
          connects <code data-testid="connects">{connects}</code>
        </p>
      </div>
      <section className="log-scroll" aria-label="Updates">
        <table>
          <thead>
            <tr>
              <th scope="col">Id</th>
              <th scope="col">Type</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {entries.map(({ number, type, id, from }) => (
              <tr key={number} data-testid="update" data-type={type}>
                <td className="log-id">{id}</td>
                <td className="log-type">{type}</td>
                <td className="log-origin" data-own={from === 'this tab'}>
                  {from}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {entries.length === 0 && <p className="hollow">No updates yet. Change something, also in another window.</p>}
      </section>
    </section>
  );
}
