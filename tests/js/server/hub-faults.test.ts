// @vitest-environment jsdom
// The hub in Node and the real client over real sockets that are cut, stalled and refused, while the
// hub restarts: every update once and in order, or a resync behind it.
import { createServer as createHttp, type Server } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { EventSource } from 'eventsource';
import { afterEach, expect, it, vi } from 'vitest';
import { type Client, createClient } from '../../../js/index.js';
import { createHub, type TinysseHub } from '../../../js/server/index.js';

const SEEDS = Number(process.env.HUB_FAULT_SEEDS ?? 4);
const SECRET = 'a secret of these tests that is long enough';
const STEPS = 40;

type Map = { news: { n: number }; end: undefined };

/** A generator of numbers (mulberry32). */
function random(seed: number) {
  let state = seed >>> 0;
  return (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) % limit) as number;
  };
}

/** A process with a hub: it can end without a word, and another takes its place. */
class Life {
  readonly hub: TinysseHub<Map>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(maxCount: number) {
    this.hub = createHub<Map>({
      secret: SECRET,
      heartbeat: 1_000,
      retry: 100,
      log: { maxCount },
      identify: ({ headers }) => {
        const user = headers.get('authorization')?.split(' ')[1];
        return user ? { user, role: user === 'ada' ? 'admin' : undefined, channels: ['ops.*'] } : null;
      },
    });
    this.#server = createHttp(this.hub.node);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  listen(): Promise<number> {
    return new Promise((done) => {
      this.#server.listen(0, '127.0.0.1', () => done((this.#server.address() as AddressInfo).port));
    });
  }

  async die(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await this.hub.close({ drain: 0 });
  }
}

/** The network between: it cuts, holds back and refuses. */
class Network {
  port = 0;
  target = 0;
  refuses = false;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server = createServer((socket) => this.#pass(socket));

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  stall(on: boolean): void {
    for (const pair of this.#pairs) for (const socket of pair) on ? socket.pause() : socket.resume();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #pass(socket: Socket): void {
    if (this.refuses) {
      socket.destroy();
      return;
    }
    const pair = [socket, connect(this.target, '127.0.0.1')] as const;
    this.#pairs.add(pair);
    for (const [at, from] of pair.entries()) {
      const to = pair[1 - at] as Socket;
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => to.destroy());
      from.once('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}

/** What a client received, beside what had been published by then. */
interface Witness {
  readonly user: string;
  readonly client: Client<Map>;
  readonly received: number[];
  /** The number of the last update that was published before each resync. */
  readonly resyncs: number[];
  ended: boolean;
}

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function run(seed: number): Promise<string[]> {
  const below = random(seed);
  const network = new Network();
  await network.listen();
  // Half of the seeds lose their log now and then. Without that nothing may be missing at all.
  const loses = seed % 2 === 0;
  const maxCount = loses ? 30 : 1_000;
  let life = new Life(maxCount);
  network.target = await life.listen();
  ends.push(
    () => life.die(),
    () => network.close(),
  );
  const published: { to: 'all' | 'user:ada' | 'role:admin' | 'channel:ops.eu' | 'user:nobody' }[] = [];
  const witnesses = ['ada', 'bob', 'ada', 'bob'].map((user, n): Witness => {
    const url = `http://127.0.0.1:${network.port}`;
    const client = createClient<Map>({
      url: `${url}/events`,
      transport: n < 2 ? 'eventsource' : 'fetch',
      quiet: true,
      token: async () => {
        const answer = await fetch(`${url}/auth/sse-token`, {
          method: 'POST',
          headers: { authorization: `Bearer ${user}` },
        });
        if (!answer.ok) throw Object.assign(new Error('no token'), { status: answer.status });
        return answer.json();
      },
    });
    const witness: Witness = { user, client, received: [], resyncs: [], ended: false };
    client.subscribe('news', ({ data }) => witness.received.push(data.n));
    client.subscribe('end', () => {
      witness.ended = true;
    });
    client.onResync(() => witness.resyncs.push(published.length));
    client.acquire();
    ends.unshift(() => client.close());
    return witness;
  });
  const publish = () => {
    const to = (['all', 'all', 'user:ada', 'role:admin', 'channel:ops.eu', 'user:nobody'] as const)[below(6)] ?? 'all';
    published.push({ to });
    life.hub.notify('news', { to, data: { n: published.length } });
  };
  for (let step = 0; step < STEPS; step++) {
    for (let n = below(6); n > 0; n--) publish();
    switch (below(12)) {
      case 0:
        network.cut();
        break;
      case 1:
        network.stall(true);
        for (let n = below(40); n > 0; n--) publish();
        await pause(below(60));
        network.stall(false);
        break;
      case 2: {
        network.refuses = true;
        network.cut();
        await pause(below(60));
        network.refuses = false;
        break;
      }
      case 3: {
        if (!loses) break;
        // The log of the former life is gone: its clients must be notified of that.
        const before = life;
        await before.die();
        life = new Life(maxCount);
        network.target = await life.listen();
        break;
      }
      default:
    }
    await pause(below(30));
  }
  // What may be seen is seen in the end, and nothing else.
  await vi.waitFor(
    () => {
      life.hub.notify('end');
      expect(witnesses.map(({ ended, client }) => ended && client.getSnapshot().status)).toEqual(
        witnesses.map(() => 'open'),
      );
    },
    { timeout: 20_000, interval: 100 },
  );
  return witnesses.flatMap((witness, n) =>
    lies(witness, published, loses).map((lie) => `seed ${seed}, client ${n}: ${lie}`),
  );
}

/** What is wrong with what a client received. */
function lies({ user, received, resyncs }: Witness, published: readonly { to: string }[], loses: boolean): string[] {
  const sees = (to: string) =>
    to === 'all' || to === `user:${user}` || to === 'channel:ops.eu' || (to === 'role:admin' && user === 'ada');
  const found: string[] = [];
  // The first stream may not know what was before it.
  if (!loses && resyncs.length > 1) found.push(`resynced ${resyncs.length} times for nothing`);
  for (const [at, n] of received.entries()) {
    const before = received[at - 1] ?? 0;
    if (n <= before) found.push(`received ${n} after ${before}`);
    if (!sees(published[n - 1]?.to ?? '')) found.push(`received ${n}, which is for ${published[n - 1]?.to}`);
  }
  const got = new Set(received);
  for (const [at, { to }] of published.entries()) {
    const n = at + 1;
    if (sees(to) && !got.has(n) && !resyncs.some((last) => last >= n)) found.push(`lost ${n} without a resync`);
  }
  return found;
}

it(`loses and doubles nothing through cuts, stalls and restarts: ${SEEDS} seeds`, { timeout: 60_000 }, async () => {
  vi.stubGlobal('EventSource', EventSource);
  const found = await Promise.all(Array.from({ length: SEEDS }, (_, seed) => run(seed + 1)));
  expect(found.flat()).toEqual([]);
});
