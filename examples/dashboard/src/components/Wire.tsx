// The right side of the screen: counters, controls and the log.
import { Controls } from './Controls';
import { EventLog } from './EventLog';
import { Meter } from './Meter';

/** What goes on under the page: the figures, the ways to disturb the connection, and every event. */
export function Wire() {
  return (
    <aside className="wire" aria-label="The wire">
      <Meter />
      <Controls />
      <EventLog />
    </aside>
  );
}
