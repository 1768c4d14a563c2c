// Random faults, restarts and updates from a seed: each accepted update arrives once and in order,
// or its type is announced behind it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { HubError } from '../../../js/server/errors.js';
import { createRemote } from '../../../js/server/remote/index.js';
import type { UpdateService } from '../../../js/server/types.js';
import { type Fault, PublishServer } from './support/publish-server.js';

const SEEDS = Number(process.env.REMOTE_SEEDS ?? 12);
const FIRST = Number(process.env.REMOTE_SEED ?? 1);

/** A generator of numbers (mulberry32). */
function random(seed: number) {
  let state = seed >>> 0;
  return (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const FAULTS: readonly Fault[] = [
  'none',
  'none',
  'none',
  'cut',
  'lost',
  'half',
  'silent',
  { status: 500 },
  { status: 503, headers: { 'retry-after': '0' } },
  { status: 429 },
  { status: 507 },
];

interface Note {
  readonly type: string;
  /** The length of the log when it was notified. */
  readonly at: number;
  isLost: boolean;
  isForbidden: boolean;
}

async function live(seed: number, file: string | undefined): Promise<void> {
  const below = random(seed);
  const server = await PublishServer.start();
  // The server has rules that the publisher does not know.
  server.forbids = (data) => typeof data === 'number' && data % 50 === 49;
  const isOld = below(6) === 0;
  server.fault = () => {
    const fault = FAULTS[below(FAULTS.length)] as Fault;
    return fault === 'none' && isOld ? 'old' : fault;
  };
  const notes: Note[] = [];
  const errors: HubError[] = [];
  const start = (): UpdateService<Record<string, unknown>> =>
    createRemote<Record<string, unknown>>({
      url: server.url,
      key: server.key,
      timeout: 40,
      queue: { maxCount: 20 + below(30), maxBytes: 4_000, file },
      onError: (error) => errors.push(error),
    });
  let service = start();
  for (let step = 0; step < 30; step++) {
    for (let n = below(15); n > 0; n--) {
      const number = notes.length;
      const note: Note = {
        type: `t${below(3)}`,
        at: server.log.length,
        isLost: false,
        isForbidden: number % 50 === 49,
      };
      notes.push(note);
      service
        .publish(note.type, { data: number, to: below(2) ? 'all' : `user:${'x'.repeat(below(200) + 1)}` })
        .catch(({ code }: HubError) => {
          if (code === 'queue_full') note.isLost = true;
          else expect(code).toBe(note.isForbidden && code !== 'closed' ? 'rejected' : 'closed');
        });
    }
    await new Promise((done) => setTimeout(done, below(25)));
    if (below(12) === 0) await server.down();
    else await server.up();
    if (file && below(8) === 0) {
      await service.close({ drain: below(30) });
      service = start();
    }
  }
  server.fault = () => (isOld ? 'old' : 'none');
  await server.down();
  await server.up();
  await service.close({ drain: 20_000 });
  await server.down();

  const label = `seed ${seed}, ${file ? 'file' : 'memory'}`;
  const expected = [...notes.keys()].filter((n) => !notes[n]?.isLost && !notes[n]?.isForbidden);
  expect(server.numbers, label).toEqual(expected);
  for (const [n, { type, at, isLost }] of notes.entries()) {
    if (!isLost) continue;
    const isAnnounced = server.log.slice(at).some((update) => update.data === undefined && update.type === type);
    expect(isAnnounced, `${label}, update ${n}`).toBe(true);
  }
  // A repetition has the same bytes.
  const bodies = new Map<string | undefined, string>();
  for (const { key, body } of server.requests) {
    expect(bodies.get(key) ?? body, label).toBe(body);
    bodies.set(key, body);
  }
  expect(errors.filter(({ code }) => code === 'unexpected' || code === 'journal')).toEqual([]);
}

it.each(Array.from({ length: SEEDS }, (_, n) => FIRST + n))(
  'seed %i',
  async (seed) => {
    const folder = mkdtempSync(join(tmpdir(), 'tinysse-seed-'));
    try {
      await Promise.all([live(seed, undefined), live(seed, join(folder, 'queue'))]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
