// The journal on a disk that is full, fails, or ends with the process between any two operations.
import * as nodeFiles from 'node:fs';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HubError } from '../../../js/server/errors.js';
import { runtimeClock } from '../../../js/server/remote/clock.js';
import type { FileSystem } from '../../../js/server/remote/files.js';
import { Journal } from '../../../js/server/remote/journal.js';
import type { Restored } from '../../../js/server/remote/journal-lines.js';

let folder: string;
let file: string;
let errors: HubError[];
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tinysse-disk-'));
  file = join(folder, 'queue');
  errors = [];
  now = 1_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Files as those of Node, except what a test puts in their place. */
const files = (other: Partial<FileSystem> = {}): FileSystem => ({ ...(nodeFiles as unknown as FileSystem), ...other });
const error = (code: string) => Object.assign(new Error(code), { code });
const NOTHING: Restored = { entries: [], debts: [], batch: undefined, last: 0 };

function open(fs: FileSystem, state: () => Restored = () => NOTHING): [Journal, Restored] {
  const owner = { state, onError: (error: HubError) => void errors.push(error) };
  return Journal.open(file, owner, fs, { ...runtimeClock, now: () => now });
}

/** What the next process finds, once this one is gone. */
function reopened(): Restored {
  rmSync(`${file}.lock`, { force: true });
  const [journal, restored] = open(files());
  journal.close();
  return restored;
}

const entry = (number: number, json = `{"type":"news","data":${number}}`) => ({ number, type: 'news', json });
const accept = (journal: Journal, { number, type, json }: ReturnType<typeof entry>) =>
  journal.accepted(number, type, json);

describe('a full disk', () => {
  it('is reported once; what waits is written as soon as there is space', () => {
    let isFull = false;
    let state = NOTHING;
    const disk = files({
      writeSync: (...args) => {
        // What is there may be overwritten.
        const [, , , length, position] = args;
        if (isFull && position + length > 40) throw error('ENOSPC');
        return files().writeSync(...args);
      },
    });
    const [journal] = open(disk, () => state);
    accept(journal, entry(1));
    isFull = true;
    state = { ...NOTHING, entries: [entry(1), entry(2), entry(3)], last: 3 };
    accept(journal, entry(2));
    accept(journal, entry(3));
    now += 1_000;
    accept(journal, entry(3));
    expect(errors.map(({ code }) => code)).toEqual(['journal']);
    expect(errors[0]?.message).toContain('ENOSPC');
    // The process would announce everything now.
    expect(readFileSync(file, 'utf8')[0]).toBe('!');
    isFull = false;
    accept(journal, entry(3));
    expect(readFileSync(file, 'utf8')[0]).toBe('!');
    now += 1_000;
    journal.sending('key', 3);
    journal.done(1);
    journal.close();
    expect(reopened().entries).toEqual([entry(2), entry(3)]);
    expect(errors.length).toBe(1);
  });

  it('at the end of the process: everything is announced, and the file is kept', () => {
    let isFull = false;
    const disk = files({
      writeSync: (...args) => {
        if (isFull && args[4] > 0) throw error('ENOSPC');
        return files().writeSync(...args);
      },
    });
    const [journal] = open(disk);
    accept(journal, entry(1));
    isFull = true;
    accept(journal, entry(2));
    expect(reopened()).toMatchObject({ entries: [], debts: null });
    expect(readFileSync(`${file}.damaged`, 'utf8')).toContain('news');
    expect(errors.map(({ code }) => code)).toEqual(['journal', 'journal']);
    expect(reopened()).toMatchObject({ entries: [], debts: null });
    expect(errors.length).toBe(2);
  });

  it('at the start is no reason not to start', () => {
    const [first] = open(files());
    accept(first, entry(1));
    first.close();
    const disk = files({
      writeSync: (...args) => {
        if (args[3] > 10) throw error('ENOSPC');
        return files().writeSync(...args);
      },
    });
    const [journal, restored] = open(disk);
    expect(restored.entries).toEqual([entry(1)]);
    expect(errors.map(({ code }) => code)).toEqual(['journal']);
    expect(existsSync(`${file}.new`)).toBe(false);
    journal.close();
    expect(reopened().debts).toBe(null);
  });

  it('takes part of a line: the rest is written by another call', () => {
    const disk = files({
      writeSync: (descriptor, bytes, offset, length, position) =>
        files().writeSync(descriptor, bytes, offset, Math.min(length, 7), position),
    });
    const [journal] = open(disk);
    for (let n = 1; n <= 3; n++) accept(journal, entry(n));
    journal.close();
    expect(reopened().entries).toEqual([entry(1), entry(2), entry(3)]);
    expect(errors).toEqual([]);
  });

  it('does not keep what is settled from being written', () => {
    let noNewFiles = false;
    let state = NOTHING;
    const disk = files({
      openSync: (path, flags, mode) => {
        if (noNewFiles && path.endsWith('.new')) throw error('ENOSPC');
        return files().openSync(path, flags, mode);
      },
    });
    const [journal] = open(disk, () => state);
    noNewFiles = true;
    for (let n = 1; n <= 3; n++) {
      accept(journal, entry(n, JSON.stringify({ type: 'news', data: 'x'.repeat(1 << 20) })));
      state = { ...NOTHING, last: n };
      journal.done(n);
    }
    expect(errors).toEqual([]);
    expect(statSync(file).size).toBeGreaterThan(3 << 20);
    noNewFiles = false;
    now += 1_000;
    accept(journal, entry(4));
    state = { ...NOTHING, last: 4 };
    journal.done(4);
    expect(statSync(file).size).toBeLessThan(200);
    journal.close();
    expect(reopened()).toMatchObject({ entries: [], last: 4 });
  });
});

describe('a file', () => {
  it.each([
    ['without content', ''],
    ['of another program', 'SQLite format 3\n'],
    ['without a first line', '0badc0de {"done":1}\n'],
  ])('%s is kept aside, and everything is announced', (_, text) => {
    writeFileSync(file, text);
    const [journal, restored] = open(files());
    expect(restored).toMatchObject({ entries: [], debts: null });
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(text);
    expect(errors.map(({ code }) => code)).toEqual(['journal']);
    journal.close();
  });

  it('that the disk does not give back is kept aside, and everything is announced', () => {
    writeFileSync(file, 'x');
    const disk = files({
      readFileSync: (path) => {
        if (path === file) throw error('EIO');
        return files().readFileSync(path);
      },
    });
    const [journal, restored] = open(disk);
    expect(restored.debts).toBe(null);
    expect(errors[0]?.message).toContain('EIO');
    journal.close();
  });

  it.each([
    ['in a folder that does not exist', () => join(folder, 'none', 'queue')],
    ['that is a folder', () => folder],
  ])('%s is a wrong option', (_, path) => {
    file = path();
    expect(() => open(files())).toThrow(expect.objectContaining({ code: 'options', option: 'remote.queue.file' }));
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  it('that is closed is not written any more', () => {
    const [journal] = open(files());
    accept(journal, entry(1));
    journal.close();
    // The number of the file may belong to another one now.
    const other = nodeFiles.openSync(join(folder, 'other'), 'w');
    accept(journal, entry(2));
    journal.done(2);
    nodeFiles.closeSync(other);
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('');
    expect(reopened().entries).toEqual([entry(1)]);
    expect(errors).toEqual([]);
  });
});

it('what was cut off anywhere is whole lines of a former state', () => {
  const [journal] = open(files());
  for (let n = 1; n <= 5; n++) accept(journal, entry(n));
  journal.close();
  const bytes = readFileSync(file);
  for (let length = 1; length <= bytes.length; length++) {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFileSync(file, bytes.subarray(0, length));
    errors = [];
    const { entries, debts } = reopened();
    const wasHeader = errors.length > 0;
    expect(debts, `${length} bytes`).toEqual(wasHeader ? null : []);
    expect(entries, `${length} bytes`).toEqual([1, 2, 3, 4, 5].map((n) => entry(n)).slice(0, entries.length));
    if (length === bytes.length) expect(entries.length).toBe(5);
  }
});

it('any damaged byte is found', () => {
  const [journal] = open(files());
  for (let n = 1; n <= 2; n++) accept(journal, entry(n));
  journal.sending('key', 2);
  journal.owed('other');
  journal.close();
  const bytes = readFileSync(file);
  // The last line end is not: without it, the line was cut by the end of a process.
  for (let at = 0; at < bytes.length - 1; at++) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 0x01;
    writeFileSync(file, damaged);
    expect(reopened().debts, `byte ${at}`).toBe(null);
  }
});

describe('the end of the process', () => {
  /** The events of a life, with what the journal has to have behind each. */
  function* life(journal: Journal, set: (state: Restored) => void): Generator<Restored> {
    let state: Restored = NOTHING;
    const become = (next: Partial<Restored>, write: () => void) => {
      state = { ...state, ...next };
      set(state);
      write();
      return state;
    };
    const large = JSON.stringify({ type: 'news', data: 'x'.repeat(400_000) });
    for (let n = 1; n <= 8; n++) {
      const json = n % 2 ? large : entry(n).json;
      const added = { entries: [...state.entries, entry(n, json)], last: n };
      yield become(added, () => accept(journal, entry(n, json)));
      if (n === 3) yield become({ debts: ['a'] }, () => journal.owed('a'));
      if (n === 4) yield become({ debts: ['a', 'b'] }, () => journal.owed('b'));
      // The announcement of `a` is published; `b` came meanwhile.
      if (n === 6) yield become({ debts: ['b'] }, () => journal.announced(['b']));
      if (n === 7) yield become({ debts: [] }, () => journal.announced([]));
      if (n % 3 === 0) {
        yield become({ batch: { key: `key-${n}`, last: n } }, () => journal.sending(`key-${n}`, n));
        yield become({ batch: undefined, entries: [] }, () => journal.done(n));
      }
    }
  }

  /** Files of a process that ends at one of their operations, of which half may be done. */
  function mortal(operations: number): { disk: FileSystem; isOver(): boolean } {
    let left = operations;
    const dies = <A extends unknown[], R>(work: (...args: A) => R, partly?: (...args: A) => void) => {
      return (...args: A): R => {
        if (left === 0) partly?.(...args);
        if (left <= 0) {
          left = -1;
          throw new Error('the process was killed');
        }
        left -= 1;
        return work(...args);
      };
    };
    const real = files();
    const half: (...args: Parameters<FileSystem['writeSync']>) => void = (file, bytes, offset, length, position) =>
      real.writeSync(file, bytes, offset, length >> 1, position);
    const disk = files({
      openSync: dies(real.openSync),
      writeSync: dies(real.writeSync, half),
      renameSync: dies(real.renameSync),
      unlinkSync: dies(real.unlinkSync),
      closeSync: dies(real.closeSync),
    });
    return { disk, isOver: () => left < 0 };
  }

  /** Runs a process for each number of operations, until one that lives to its end. */
  function lives(run: (end: number, world: ReturnType<typeof mortal>) => void): number {
    for (let end = 0; ; end++) {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      const world = mortal(end);
      run(end, world);
      if (!world.isOver()) return end;
    }
  }

  it('between any two operations on files keeps what was accepted', () => {
    const operations = lives((end, { disk, isOver }) => {
      let [before, current] = [NOTHING, NOTHING];
      try {
        const [journal] = open(disk, () => current);
        const states = life(journal, (next) => {
          current = next;
        });
        for (const state of states) {
          if (isOver()) break;
          before = state;
        }
      } catch (error) {
        // While it was opened.
        if (!isOver()) throw error;
      }
      errors = [];
      const found = reopened();
      const is = (state: Restored) =>
        JSON.stringify([found.entries, found.debts, found.batch]) ===
        JSON.stringify([state.entries, state.debts, state.batch]);
      expect(is(before) || is(current), `end ${end}`).toBe(true);
      expect(errors, `end ${end}`).toEqual([]);
    });
    expect(operations).toBeGreaterThan(25);
  });

  it('while it puts a damaged file aside does not make it forget that', () => {
    lives((end, { disk, isOver }) => {
      writeFileSync(file, 'damaged\n');
      try {
        open(disk);
      } catch (error) {
        if (!isOver()) throw error;
      }
      expect(reopened().debts, `end ${end}`).toBe(null);
    });
  });
});

it('the file does not grow while the queue is full', () => {
  const [journal] = open(files());
  let batches = 0;
  for (let round = 0; round < 20_000; round++) {
    journal.owed('news');
    journal.announced(['news']);
    batches += 1;
  }
  journal.close();
  expect(batches).toBe(20_000);
  expect(statSync(file).size).toBeLessThan(1_200_000);
});
