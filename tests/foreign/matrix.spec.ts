// Servers that do not speak tinysse/1, over both transports, in five disturbances.
//
// In each cell updates 1 and 2 are published before the disturbance, 3 during it and 4 after it.
// Each is delivered, or a gap is announced after the disturbance began. Nothing is delivered twice,
// unless a gap is announced in between. The server sees two requests: the first one, and the one
// that the disturbance explains.
import { type BrowserContext, expect, test } from '@playwright/test';
import { type Cell, Cells, type Transport, transports } from './cells';
import { servers } from './servers';

// What the application receives once the disturbance has begun; `?` is the gap `unknown`.
//
// - cut: the browser itself retries a native stream, with `Last-Event-ID` if there were ids.
// - The others: the client closes the stream and opens a new one. A native stream cannot send the
//   header then, so a gap is announced. `fetch` sends it.
// - Without ids, every new stream is a gap. So are consecutive numbers that are not consecutive
//   any more.
// - better-sse also reads the cursor from the query and replays. nchan sends everything it has
//   stored to a subscriber without the header. `no ids` sends 0 at the start of each stream.
const table = `
disturbance        | cut               | pause             | offline           | sleep             | bfcache
transport          | native    | fetch | native    | fetch | native    | fetch | native    | fetch | native    | fetch
better-sse         | 3 4       | 3 4   | ? 3 4     | 3 4   | ? 3 4     | 3 4   | ? 3 4     | 3 4   | ? 3 4     | 3 4
express            | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4
nchan              | 3 4       | 3 4   | ? 1 2 3 4 | 3 4   | ? 1 2 3 4 | 3 4   | ? 1 2 3 4 | 3 4   | ? 1 2 3 4 | 3 4
no ids             | ? 0 4     | ? 0 4 | ? 0 4     | ? 0 4 | ? 0 4     | ? 0 4 | ? 0 4     | ? 0 4 | ? 0 4     | ? 0 4
numeric ids        | 3 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4
ids without replay | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4
comments, 15 s     | 3 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4
comments, 60 s     | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4   | ? 4       | ? 4
named events       | 3 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4   | ? 4       | 3 4
`;
const [first = [], , ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));
const disturbances = first.slice(1);

/** Returns the cell of the table. */
function expected(disturbance: string, server: string, transport: Transport): string {
  const row = rows.find(([name]) => name === server);
  const cell = row?.[1 + 2 * disturbances.indexOf(disturbance) + transports.indexOf(transport)];
  if (cell === undefined) throw new Error(`the table has no cell for ${server}, ${disturbance}, ${transport}`);
  return cell;
}

/** Breaks the streams, publishes 3, and gives the clients a reason to open new streams. */
const outages: Record<string, (cells: Cells, context: BrowserContext) => Promise<void>> = {
  /** Resets the connections; new ones wait until 3 is published. */
  async cut(cells) {
    await cells.each(({ relay }) => {
      relay.hold();
      relay.cut();
    });
    await cells.publish(3);
    await cells.each(({ relay }) => relay.admit());
  },

  async pause(cells) {
    await cells.page.evaluate(() => globalThis.foreign.all('pause'));
    await closed(cells);
    await cells.publish(3);
    await cells.page.evaluate(() => globalThis.foreign.all('resume'));
  },

  /**
   * Emulates a lost network. Chromium keeps streams open meanwhile, so the relay drops what is
   * sent on them.
   */
  async offline(cells, context) {
    await cells.each(({ relay }) => relay.stall());
    await context.setOffline(true);
    await cells.page.waitForFunction(() => !navigator.onLine);
    await cells.publish(3);
    await context.setOffline(false);
  },

  /**
   * Jumps ten minutes ahead, then makes the page visible. The old connections are dead, but not
   * closed.
   */
  async sleep(cells) {
    await cells.each(({ relay }) => relay.stall());
    await cells.publish(3);
    await cells.page.clock.fastForward(600_000);
    await cells.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  },

  async bfcache(cells) {
    await cells.page.goto(`${cells.url}elsewhere`);
    await closed(cells);
    await cells.publish(3);
    await cells.page.goBack({ waitUntil: 'commit' });
    await cells.page.waitForFunction(() => globalThis.persisted !== undefined);
    expect(await cells.page.evaluate(() => globalThis.persisted)).toBe(true);
  },
};

/** Waits until every connection is closed. */
async function closed(cells: Cells): Promise<void> {
  await cells.each(({ name, relay }) => expect.poll(() => relay.open, name).toBe(0));
}

/** Returns whether a stream is open that the server accepted after the disturbance. */
const reopened = ({ status, requests, foreign }: Cell) =>
  status === 'open' && requests >= 2 && (foreign.streams() ?? requests) >= 2;

/** Returns the violations of the promise above that the log of a cell shows. */
function broken(log: string): string[] {
  const events = log.split(' ');
  const gap = events.lastIndexOf('unknown');
  const outage = events.indexOf('|');
  const wrong: string[] = [];
  for (const n of ['1', '2', '3', '4']) {
    if (!events.includes(n) && gap < outage) wrong.push(`${n} is neither delivered nor announced as lost`);
    const last = events.lastIndexOf(n);
    const first = events.indexOf(n);
    if (last > first && !events.slice(first, last).includes('unknown')) wrong.push(`${n} is delivered twice`);
  }
  return wrong;
}

for (const [disturbance, outage] of Object.entries(outages)) {
  test(disturbance, async ({ context }) => {
    const cells = await Cells.open(context);
    try {
      await cells.addAll();
      await cells.publish(1);
      await cells.until(({ log }) => log.endsWith(' 1'));
      // Three heartbeats, so that a watchdog knows their interval.
      for (const _ of [1, 2, 3]) {
        await cells.page.clock.runFor(15_000);
        await cells.each(({ server, foreign }) => void (server === 'comments, 15 s' && foreign.beat?.()));
      }
      await cells.publish(2);
      await cells.until(({ log }) => log.endsWith(' 2'));
      await cells.page.evaluate(() => globalThis.foreign.mark());

      await outage(cells, context);
      await cells.until(reopened);
      await cells.publish(4);
      await cells.until(({ log }) => log.endsWith(' 4'));
      // Anything that a timer would still cause.
      await cells.page.clock.runFor(5_000);

      const seen: Record<string, string> = {};
      const wanted: Record<string, string> = {};
      const promises: string[] = [];
      for (const { name, server, transport, log, requests } of await cells.look()) {
        const start = server === 'no ids' ? ' 0' : '';
        wanted[name] = `first${start} 1 2 | ${expected(disturbance, server, transport)}, 2 requests`;
        seen[name] = `${log.replaceAll('unknown', '?')}, ${requests} requests`;
        for (const text of broken(log)) promises.push(`${name}: ${text}`);
      }
      expect.soft(promises).toEqual([]);
      expect(seen).toEqual(wanted);
    } finally {
      await cells.end();
    }
  });
}

test('the table has a cell for every case, and every cell keeps the promise', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(servers));
  expect(disturbances).toEqual(Object.keys(outages));
  for (const [server = '', ...cells] of rows) {
    expect(cells).toHaveLength(2 * disturbances.length);
    for (const cell of cells) expect(broken(`first 1 2 | ${cell.replace('?', 'unknown')}`), server).toEqual([]);
  }
});
