// The log of events, newest first.
import { useEffect, useState, useSyncExternalStore } from 'react';
import { log } from '../log';
import { sse } from '../sse';
import { useNow } from '../time';
import { LogRow } from './LogRow';

/** Every event, newest first; the store keeps the last two hundred. */
export function EventLog() {
  const { rows } = useSyncExternalStore(log.subscribe, log.get);
  return (
    <section className="log" aria-labelledby="log-title">
      <div className="log-head">
        <h2 id="log-title">Events</h2>
        <Cursor />
        <button type="button" className="link" onClick={log.clear} disabled={rows.length === 0}>
          Clear
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <section className="log-scroll" aria-label="Event log" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Id</th>
              <th scope="col">Type</th>
              <th scope="col">Origin</th>
              <th scope="col">Data</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <LogRow key={row.n} row={row} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p className="hollow">Nothing yet. Rename a project, or send a hundred updates.</p>}
      </section>
      <Announcer />
    </section>
  );
}

/** Beats move the cursor too, and they are no status change: so it is looked up with each row and each second. */
function Cursor() {
  useNow();
  const cursor = useSyncExternalStore(log.subscribe, () => sse.getSnapshot().lastEventId);
  return (
    <p className="cursor">
      cursor <code data-testid="cursor">{cursor || 'none'}</code>
    </p>
  );
}

const PERIOD = 5000;

/** For screen readers: a table that grows by a hundred rows is noise, so only the count is announced, at most every five seconds. */
function Announcer() {
  const [text, setText] = useState('');
  useEffect(() => {
    let said = log.get().updates;
    const timer = setInterval(() => {
      const { updates } = log.get();
      const fresh = updates - said;
      said = updates;
      if (fresh > 0) setText(`${fresh} ${fresh === 1 ? 'update' : 'updates'} received`);
    }, PERIOD);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="sr-only" role="status">
      {text}
    </p>
  );
}
