// A file that reserves another one for one process, by its number.
import { badOption } from '../errors.js';
import { codeOf, type FileSystem, isFull, readIfThere, remove, writeAll } from './files.js';

/** A lock without content is being written, or was left by a process that ended meanwhile. */
const UNWRITTEN = 2_000;

interface Process {
  readonly pid: number;
  kill(pid: number, signal: 0): void;
}

const current = (globalThis as { process?: Process }).process;
const utf8 = new TextEncoder();
const read = new TextDecoder();

/**
 * Makes a lock file. One of a process that is gone is replaced. Returns a function that removes it.
 * Throws an error that names the option if another process, or another publisher in this one, has
 * it.
 */
export function lock(fs: FileSystem, path: string): () => void {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = fs.openSync(path, 'wx', 0o600);
      try {
        writeAll(fs, file, utf8.encode(ownName(fs)), 0);
      } finally {
        fs.closeSync(file);
      }
      return () => remove(fs, path);
    } catch (error) {
      // On a full disk it has no content; for a while, that is a lock too.
      if (isFull(error)) return () => remove(fs, path);
      if (codeOf(error) !== 'EEXIST') throw badOption('remote.queue.file', (error as Error).message);
    }
    takeOver(fs, path);
  }
  throw badOption('remote.queue.file', `another process uses it (${path})`);
}

function takeOver(fs: FileSystem, path: string): void {
  const holder = contentOf(fs, path);
  if (holder === undefined) return;
  if (isHeld(fs, path, holder)) {
    const [pid] = holder.split(' ');
    throw badOption('remote.queue.file', `process ${pid} uses it; remove ${path} if that is another program`);
  }
  // Moved, then compared: of two processes that find a stale lock, one may have replaced it
  // already.
  const aside = `${path}.${current?.pid ?? 0}`;
  try {
    fs.renameSync(path, aside);
  } catch {
    return;
  }
  try {
    if (contentOf(fs, aside) !== holder) fs.linkSync(aside, path);
  } catch {
    // A third one made a lock meanwhile.
  }
  remove(fs, aside);
}

function contentOf(fs: FileSystem, path: string): string | undefined {
  const bytes = readIfThere(fs, path);
  return bytes && read.decode(bytes).trim();
}

function isHeld(fs: FileSystem, path: string, holder: string): boolean {
  if (holder === '') {
    try {
      return Date.now() - fs.statSync(path).mtimeMs < UNWRITTEN;
    } catch {
      return false;
    }
  }
  const [pid, start = ''] = holder.split(' ');
  if (!isAlive(Number(pid))) return false;
  // A number is given again: in a container, the program has the same one after each restart.
  const now = startOf(fs, Number(pid));
  return start === '' || now === '' || start === now;
}

/** The number of this process, and when it began where that is known. */
function ownName(fs: FileSystem): string {
  const pid = current?.pid ?? 0;
  return `${pid} ${startOf(fs, pid)}`.trim();
}

/**
 * When a process began, as text that no other process with its number has; empty if it is not
 * known.
 */
function startOf(fs: FileSystem, pid: number): string {
  try {
    const boot = read.decode(fs.readFileSync('/proc/sys/kernel/random/boot_id')).trim();
    const stat = read.decode(fs.readFileSync(`/proc/${pid}/stat`));
    // proc(5): field 22; the second one, in parentheses, may contain spaces and parentheses.
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return start ? `${boot}.${start}` : '';
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    current?.kill(pid, 0);
    return true;
  } catch (error) {
    // Another code means that the runtime does not let us know.
    return codeOf(error) !== 'ESRCH';
  }
}
