// The lock of a journal: one process at a time, and none for ever.
import * as nodeFiles from 'node:fs';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FileSystem } from '../../../js/server/remote/files.js';
import { lock } from '../../../js/server/remote/lock.js';

let folder: string;
let path: string;
const fs = nodeFiles as unknown as FileSystem;
/** Without /proc, as on macOS and Windows. */
const elsewhere: FileSystem = {
  ...fs,
  readFileSync: (name) => {
    if (name.startsWith('/proc/')) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return fs.readFileSync(name);
  },
};
const inUse = expect.objectContaining({ code: 'options', option: 'remote.queue.file' });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tinysse-lock-'));
  path = join(folder, 'queue.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['', fs],
  [', where it is not known when processes began', elsewhere],
])('two publishers of one process do not share a file%s', (_, files) => {
  const release = lock(files, path);
  expect(() => lock(files, path)).toThrow(inUse);
  release();
  lock(files, path)();
  expect(readdirSync(folder)).toEqual([]);
});

it('a process with the number of this one that is gone does not keep it, as in a container', () => {
  lock(fs, path)();
  const release = lock(fs, path);
  const [pid, start] = readFileSync(path, 'utf8').split(' ');
  expect(pid).toBe(String(process.pid));
  if (process.platform === 'linux') {
    expect(start).toMatch(/^[0-9a-f-]{36}\.\d+$/);
    writeFileSync(path, `${pid} ${start}1`);
    lock(fs, path)();
  }
  release();
});

it('a lock without content is respected while it may be being written', () => {
  writeFileSync(path, '');
  expect(() => lock(fs, path)).toThrow(inUse);
  const past = Date.now() / 1_000 - 10;
  utimesSync(path, past, past);
  lock(fs, path)();
});

it('of two processes that find a stale lock, one gets it', () => {
  writeFileSync(path, '999999999');
  let other: (() => void) | undefined;
  // The other one is done between the look and the removal.
  const racing: FileSystem = {
    ...fs,
    renameSync: (from, to) => {
      other ??= lock(fs, path);
      fs.renameSync(from, to);
    },
  };
  expect(() => lock(racing, path)).toThrow(inUse);
  expect(existsSync(path)).toBe(true);
  other?.();
  expect(readdirSync(folder)).toEqual([]);
});

it('what the runtime does not let us know keeps it: the error names the file to remove', () => {
  writeFileSync(path, '1');
  expect(() => lock(elsewhere, path)).toThrow(`process 1 uses it; remove ${path}`);
});
