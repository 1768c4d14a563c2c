// What is loaded apart: a cursor that outlives the page, an iterator, a log, a look inside.
import { createClient, type LogEntry } from 'tinysse';
import { updates } from 'tinysse/iterate';

const log: LogEntry[] = [];
const user = new URLSearchParams(location.search).get('user') ?? '';
const client = createClient({
  url: '/events',
  persist: true,
  token: () => ({ token: `secret-of-${user}`, user }),
  log: (entry) => log.push(entry),
});
const seen = document.createElement('output');
document.body.append(seen);
for await (const update of updates(client, 'projects')) {
  const { events, latency } = await client.stats();
  seen.textContent = `${update.type} ${update.data.id}`;
  Object.assign(window, { seen: { events, count: latency.count, log } });
}
