// The file that keeps a queue over a restart of the process: one line an event, each with a checksum.
import { badOption, HubError } from '../errors.js';
import { builtin } from '../runtime.js';

/** What a journal had when it was opened. */
export interface Restored {
  /** Updates that were accepted and not acknowledged, oldest first. */
  readonly entries: readonly { readonly number: number; readonly type: string; readonly json: string }[];
  /** Types that are owed; `null` for everything. */
  readonly debts: readonly string[] | null;
  /** The batch that was on its way, with the number of its last update. */
  readonly batch?: { readonly key: string; readonly last: number } | undefined;
  /** The last number that was given. */
  readonly last: number;
}

/** What is used of node:fs. */
interface FileSystem {
  openSync(path: string, flags: string, mode?: number): number;
  writeSync(file: number, text: string): number;
  closeSync(file: number): void;
  readFileSync(path: string, encoding: 'utf8'): string;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  ftruncateSync(file: number, length: number): void;
}

/** Events of the journal. */
type Event =
  | { readonly accepted: number; readonly type: string; readonly json: string }
  | { readonly batch: string; readonly last: number }
  | { readonly done: number }
  | { readonly owed: string | null }
  | { readonly announced: true };

/** A journal of this size is written anew once half of it is over. In characters. */
const COMPACT = 1 << 20;

/** A journal in a file, for one process at a time. */
export class Journal {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #onError: (error: HubError) => void;
  #file: number;
  #size = 0;
  #live = 0;
  /** The file can't be written: what is accepted is in memory only. */
  #broken = false;

  private constructor(fs: FileSystem, path: string, file: number, onError: (error: HubError) => void) {
    this.#fs = fs;
    this.#path = path;
    this.#file = file;
    this.#onError = onError;
  }

  /**
   * Opens a journal. Throws an error that names the option if the file can't be used, or another
   * process uses it. A damaged file is kept aside, and everything is owed.
   */
  static open(path: string, onError: (error: HubError) => void): { journal: Journal; restored: Restored } {
    const fs = builtin('node:fs') as FileSystem | undefined;
    if (!fs?.openSync) throw badOption('remote.queue.file', 'this runtime has no files');
    lock(fs, `${path}.lock`);
    try {
      const { text, damaged } = readJournal(fs, path);
      const restored: Restored = damaged ? { entries: [], debts: null, last: 0 } : replay(text);
      if (damaged) {
        fs.renameSync(path, `${path}.damaged`);
        const detail = `${path} is damaged and was kept as ${path}.damaged; a resync of everything is announced`;
        onError(new HubError('journal', detail));
      }
      const journal = new Journal(fs, path, -1, onError);
      journal.#rewrite(restored);
      return { journal, restored };
    } catch (error) {
      release(fs, `${path}.lock`);
      if (error instanceof HubError) throw error;
      throw badOption('remote.queue.file', (error as Error).message);
    }
  }

  /** Notes an update that is accepted. */
  accepted(number: number, type: string, json: string): void {
    this.#live += json.length;
    this.#write({ accepted: number, type, json });
  }

  /** Notes a batch that is about to be sent. */
  sending(key: string, last: number): void {
    this.#write({ batch: key, last });
  }

  /** Notes that all updates up to a number are settled. `state` is what is left. */
  done(number: number, state: () => Restored): void {
    this.#write({ done: number });
    if (this.#size > COMPACT) this.#compact(state());
  }

  /** Notes that a type has to be announced; `null` for everything. */
  owed(type: string | null): void {
    this.#write({ owed: type });
  }

  /** Notes that what was owed is announced. */
  announced(): void {
    this.#write({ announced: true });
  }

  /** Ends it: another process may use the file. */
  close(): void {
    try {
      this.#fs.closeSync(this.#file);
    } catch {
      // It was never opened, or is gone.
    }
    release(this.#fs, `${this.#path}.lock`);
  }

  #compact(state: Restored): void {
    const left = state.entries.reduce((sum, { json }) => sum + json.length, 0);
    if (left * 2 > this.#size) return;
    try {
      this.#rewrite(state);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Puts a file with nothing but this state in the place of the old one. */
  #rewrite({ entries, debts, batch, last }: Restored): void {
    const events: Event[] = entries.map(({ number, type, json }) => ({ accepted: number, type, json }));
    for (const owed of debts ?? [null]) events.push({ owed });
    if (batch) events.push({ batch: batch.key, last: batch.last });
    // The numbers go on behind the last one that was given.
    if (last > (entries.at(-1)?.number ?? 0)) events.unshift({ done: last - entries.length });
    const text = events.map(line).join('');
    const next = `${this.#path}.new`;
    const file = this.#fs.openSync(next, 'w', 0o600);
    this.#fs.writeSync(file, text);
    this.#fs.renameSync(next, this.#path);
    if (this.#file >= 0) this.#fs.closeSync(this.#file);
    this.#file = file;
    this.#size = text.length;
  }

  #write(event: Event): void {
    if (this.#broken) return;
    const text = line(event);
    try {
      this.#fs.writeSync(this.#file, text);
      this.#size += text.length;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#broken = true;
    const detail = `${this.#path} can't be written (${(error as Error).message}); what is accepted is kept in memory only`;
    this.#onError(new HubError('journal', detail, { cause: error }));
  }
}

function readJournal(fs: FileSystem, path: string): { text: string; damaged: boolean } {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return { text: '', damaged: false };
    throw error;
  }
  // The last line may have been cut by the end of the process.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const isSound = whole.split('\n').every((row) => row === '' || eventOf(row) !== undefined);
  return { text: whole, damaged: !isSound };
}

function replay(text: string): Restored {
  let entries: { number: number; type: string; json: string }[] = [];
  let debts: string[] | null = [];
  let batch: { key: string; last: number } | undefined;
  let last = 0;
  for (const row of text.split('\n')) {
    const event = eventOf(row);
    if (!event) continue;
    if ('accepted' in event) {
      entries.push({ number: event.accepted, type: event.type, json: event.json });
      last = Math.max(last, event.accepted);
    } else if ('batch' in event) batch = { key: event.batch, last: event.last };
    else if ('done' in event) {
      const { done } = event;
      entries = entries.filter(({ number }) => number > done);
      last = Math.max(last, done);
      batch = undefined;
    } else if ('announced' in event) debts = [];
    else if (event.owed === null || debts === null) debts = null;
    else debts.push(event.owed);
  }
  return { entries, debts: debts && [...new Set(debts)], batch, last };
}

function line(event: Event): string {
  const json = JSON.stringify(event);
  return `${checksum(json)} ${json}\n`;
}

function eventOf(row: string): Event | undefined {
  if (row.length < 10 || row[8] !== ' ' || checksum(row.slice(9)) !== row.slice(0, 8)) return undefined;
  try {
    return JSON.parse(row.slice(9)) as Event;
  } catch {
    return undefined;
  }
}

/** FNV-1a over UTF-16 units: finds a line that was cut or mixed with another. */
function checksum(text: string): string {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Makes a file with the number of this process. One of a process that is gone is replaced. */
function lock(fs: FileSystem, path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = fs.openSync(path, 'wx', 0o600);
      fs.writeSync(file, String(processId()));
      fs.closeSync(file);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST')
        throw badOption('remote.queue.file', (error as Error).message);
      const holder = Number(fs.readFileSync(path, 'utf8'));
      if (isAlive(holder))
        throw badOption('remote.queue.file', `process ${holder} uses it; remove ${path} if that is another program`);
      fs.unlinkSync(path);
    }
  }
}

function release(fs: FileSystem, path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // It is gone.
  }
}

interface Process {
  readonly pid: number;
  kill(pid: number, signal: 0): void;
}

function processId(): number {
  return (globalThis as { process?: Process }).process?.pid ?? 0;
}

function isAlive(pid: number): boolean {
  // Of this process itself: two publishers with one file.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    (globalThis as { process?: Process }).process?.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
