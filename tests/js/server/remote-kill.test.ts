// A process that publishes is killed with a full queue, again and again; and one that has nothing
// else to do ends by itself.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRemote } from '../../../js/server/remote/index.js';
import { type Logged, PublishServer } from './support/publish-server.js';

let server: PublishServer;
let folder: string;
let file: string;
let program: string;

/**
 * Notifies updates each millisecond, of a type by number, and prints what it notified, and when.
 */
const CHILD = `
import { writeSync } from 'node:fs';
import { createRemote } from ${JSON.stringify(fileURLToPath(new URL('../../../js/server/remote/index.ts', import.meta.url)))};
const [, , url, key, file, first, burst] = process.argv;
const service = createRemote({ url, key, queue: file ? { file, maxCount: 50 } : {}, onError: () => {} });
let number = Number(first);
// Types of its own: what it lost is announced for its own sake only.
const type = (number) => 'life-' + first + '.' + (number % 7);
const notify = () => {
  for (let n = 0; n < Number(burst); n++) {
    const at = performance.timeOrigin + performance.now();
    service.notify(type(number), { data: number });
    writeSync(1, number + ' ' + at + ' ' + type(number) + '\\n');
    number += 1;
  }
};
if (file) setInterval(notify, 1);
else notify();
`;

beforeEach(async () => {
  server = await PublishServer.start();
  folder = mkdtempSync(join(tmpdir(), 'tinysse-kill-'));
  file = join(folder, 'queue');
  program = join(folder, 'child.mjs');
  const stdin = { contents: CHILD, resolveDir: folder, loader: 'ts' } as const;
  buildSync({ stdin, outfile: program, bundle: true, format: 'esm', platform: 'node' });
});

afterEach(async () => {
  await server.down();
  rmSync(folder, { recursive: true, force: true });
});

async function until(check: () => boolean): Promise<void> {
  for (let left = 4_000; !check(); left--) {
    if (left === 0) throw new Error('it never happened');
    await new Promise((done) => setTimeout(done, 5));
  }
}

it('kill -9 with a full queue: each update arrives in order, or its type is announced behind it', async () => {
  /** When each number was notified, and its type. */
  const notified = new Map<number, { at: number; type: string | undefined }>();
  for (let life = 0; life < 6; life++) {
    // Down, then up in the middle of a life; always up; always down. Answers get lost.
    if (life % 3 === 1) await server.up();
    else await server.down();
    server.fault = (request) => (request % 5 === 3 ? 'lost' : 'none');
    const before = notified.size;
    const child = spawn(process.execPath, [program, server.url, server.key, file, String(before + 1), '10']);
    let rest = '';
    child.stdout.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const [number, at, type] of lines.map((line) => line.split(' ')))
        notified.set(Number(number), { at: Number(at), type });
    });
    await until(() => notified.size > before + 150);
    if (life % 3 === 0) await server.up();
    await until(() => notified.size > before + 300);
    const gone = new Promise((done) => child.once('close', done));
    child.kill('SIGKILL');
    await gone;
  }
  server.fault = () => 'none';
  await server.up();
  const last = createRemote({ url: server.url, key: server.key, queue: { file }, onError: () => {} });
  await last.close({ drain: 10_000 });

  const numbers = server.numbers;
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  // One that was notified but not printed is notified by the next life too.
  expect(numbers.length - new Set(numbers).size).toBeLessThanOrEqual(6);
  const arrived = new Set(numbers);
  let lost = 0;
  for (const [number, { at, type }] of notified) {
    if (arrived.has(number)) continue;
    lost += 1;
    const isAnnounced = (update: Logged) => update.data === undefined && update.type === type && update.at >= at;
    expect(server.log.some(isAnnounced), `${number} of ${notified.size}`).toBe(true);
  }
  expect([...notified.keys()]).toEqual(Array.from(notified, (_, n) => n + 1));
  expect(lost).toBeGreaterThan(100);
  expect(arrived.size).toBeGreaterThan(50);
}, 60_000);

it.each([['reachable'], ['down']])(
  'nothing that waits keeps a process alive: the server is %s',
  async (state) => {
    if (state === 'down') await server.down();
    const child = spawn(process.execPath, [program, server.url, server.key, '', '1', '3']);
    const code = await new Promise((done) => child.once('close', done));
    expect(code).toBe(0);
    expect(server.numbers).toEqual(state === 'down' ? [] : [1, 2, 3]);
  },
  20_000,
);
