// Streams that nothing disturbs, or that fall silent: which are closed, and what is announced.
import { type BrowserContext, expect, test } from '@playwright/test';
import { type Cell, Cells, transports } from './cells';
import { type Start, servers } from './servers';

/** Seconds between the comments of a server; 0 for none. */
const intervals = { 'numeric ids': 0, express: 0, 'comments, 15 s': 15, 'comments, 60 s': 60 };

const start = (server: string) => servers[server] as Start;

/**
 * Moves the clock by a step and sends the comments of the servers that are `due`.
 *
 * Then waits for the page, so that its clock does not run ahead of requests and comments: each
 * request is answered, and over unless it is the stream. A native stream hides comments, and a
 * closed one never receives this one.
 */
async function step(cells: Cells, ms: number, due: (server: string) => boolean): Promise<void> {
  await cells.page.clock.runFor(ms);
  const before = new Map((await cells.look()).map(({ name, bytes }) => [name, bytes]));
  await cells.each(({ server, foreign }) => void (due(server) && foreign.beat?.()));
  const arrived = ({ name, server, transport, bytes, requests }: Cell) =>
    transport === 'native' || !due(server) || requests > 1 || bytes > (before.get(name) ?? 0);
  const answered = ({ connects, requests, foreign, relay }: Cell) =>
    connects === requests && foreign.streams() === requests && relay.open === 1;
  await cells.until((cell) => arrived(cell) && answered(cell), 2_000);
}

/** Moves the clock in steps of 15 s; after each, the servers send the comments that are due. */
async function pass(cells: Cells, seconds: number): Promise<void> {
  for (let now = 15; now <= seconds; now += 15) {
    const due = (server: string) => {
      const interval = intervals[server as keyof typeof intervals];
      return interval > 0 && now % interval === 0;
    };
    await step(cells, 15_000, due);
  }
}

async function withCells(context: BrowserContext, work: (cells: Cells) => Promise<void>) {
  const cells = await Cells.open(context);
  try {
    await work(cells);
  } finally {
    await cells.end();
  }
}

const summary = (cells: Cell[]) =>
  Object.fromEntries(cells.map(({ name, log, requests }) => [name, `${log}, ${requests} requests`]));

test('a healthy stream stays open through three quiet minutes', async ({ context }) => {
  await withCells(context, async (cells) => {
    for (const server of Object.keys(intervals)) {
      for (const transport of transports) await cells.add(server, transport, start(server));
    }
    await cells.until(({ status }) => status === 'open');
    await cells.publish(1);
    await cells.until(({ log }) => log.endsWith(' 1'));
    await pass(cells, 180);
    await cells.publish(2);
    await cells.until(({ log }) => log.endsWith(' 2'));
    const names = Object.keys(intervals).flatMap((server) => transports.map((transport) => `${server}, ${transport}`));
    expect(summary(await cells.look())).toEqual(
      Object.fromEntries(names.map((name) => [name, 'first 1 2, 1 requests'])),
    );
  });
});

test('a stream on which nothing was ever sent stays open; the client asks once at most who answers', async ({
  context,
}) => {
  await withCells(context, async (cells) => {
    for (const transport of transports) await cells.add('express', transport, start('express'));
    await cells.until(({ status }) => status === 'open');
    await pass(cells, 180);
    await cells.publish(1);
    await cells.until(({ log }) => log.endsWith(' 1'));
    for (const { name, log, requests } of await cells.look()) {
      expect.soft(log, name).toBe('first 1');
      expect.soft(requests, name).toBeLessThanOrEqual(2);
    }
  });
});

test('a native stream that the client reopens is a gap, even if nothing is sent on it', async ({ context }) => {
  await withCells(context, async (cells) => {
    for (const server of ['numeric ids', 'express']) await cells.add(server, 'native', start(server));
    await cells.until(({ status }) => status === 'open');
    await cells.publish(1);
    await cells.until(({ log }) => log.endsWith(' 1'));
    await cells.page.evaluate(() => globalThis.foreign.all('pause'));
    await cells.each(({ relay }) => expect.poll(() => relay.open).toBe(0));
    await cells.page.evaluate(() => globalThis.foreign.all('resume'));
    await cells.until(({ requests, status }) => requests === 2 && status === 'open');
    await cells.page.clock.runFor(2_500);
    expect(summary(await cells.look())).toEqual({
      'numeric ids, native': 'first 1 unknown, 2 requests',
      'express, native': 'first 1 unknown, 2 requests',
    });
  });
});

test('a stream whose heartbeats stop is reopened on fetch, and on native with a timeout', async ({ context }) => {
  await withCells(context, async (cells) => {
    const server = 'comments, 15 s';
    await cells.add(server, 'fetch', start(server));
    await cells.add(server, 'native', start(server));
    await cells.add('numeric ids', 'native', start('numeric ids'), { heartbeatTimeout: 60_000 });
    await cells.until(({ status }) => status === 'open');
    // Three comments: two intervals are known. The first event comes after them.
    for (const _ of [1, 2, 3]) await step(cells, 10_000, (name) => name === server);
    await cells.publish(1);
    await cells.until(({ log }) => log.endsWith(' 1'));
    await cells.each(({ relay }) => relay.stall());
    await cells.publish(2);
    const again = (name: string) =>
      cells.until((cell) => cell.name !== name || (cell.requests === 2 && cell.status === 'open'));
    // Each limit, and the delay before the attempt.
    await cells.page.clock.runFor(46_500);
    await again('comments, 15 s, fetch');
    await cells.page.clock.runFor(15_000);
    await again('numeric ids, native');
    await cells.publish(3);
    await cells.until(({ name, log }) => name === 'comments, 15 s, native' || log.endsWith(' 3'));
    expect(summary(await cells.look())).toEqual({
      'comments, 15 s, fetch': 'first 1 2 3, 2 requests',
      'comments, 15 s, native': 'first 1, 1 requests',
      'numeric ids, native': 'first 1 unknown 3, 2 requests',
    });
  });
});

test('a live stream stays open and delivers while the browser reports that it is offline', async ({ context }) => {
  await withCells(context, async (cells) => {
    for (const transport of transports) await cells.add('numeric ids', transport, start('numeric ids'));
    await cells.until(({ status }) => status === 'open');
    await cells.publish(1);
    await cells.until(({ log }) => log.endsWith(' 1'));
    await context.setOffline(true);
    await cells.page.waitForFunction(() => !navigator.onLine);
    await cells.publish(2);
    await cells.until(({ log }) => log.endsWith(' 2'));
    expect(summary(await cells.look())).toEqual({
      'numeric ids, native': 'first 1 2, 1 requests',
      'numeric ids, fetch': 'first 1 2, 1 requests',
    });
  });
});
