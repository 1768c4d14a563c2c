// The file that keeps a queue over a restart of the process.
//
// It is appended to at known places, so that a line of which only a part could be written is
// overwritten by the next one. Updates that could not be written at all are marked by damaging the
// first byte of the file, which needs no space on the disk: the next process then announces
// everything, as for any damaged file.
import { badOption, HubError } from '../errors.js';
import type { RemoteClock } from './clock.js';
import type { Types } from './debts.js';
import { codeOf, type FileSystem, isFull, readIfThere, remove, writeAll } from './files.js';
import { type JournalEvent, lineOf, linesOf, type Restored, readLines } from './journal-lines.js';
import { lock } from './lock.js';

/** What a journal needs of its publisher. */
export interface JournalOwner {
  /** Returns what the journal has to have now, to write it anew. */
  state(): Restored;
  /** Receives that the file is damaged, or can't be written. */
  onError(error: HubError): void;
}

/** Bytes of settled events, at least, before a journal is written anew. */
const COMPACT = 1 << 20;
/** How long a file that could not be written is left alone, in milliseconds. */
const RETRY = 1_000;
/** Errors of a path that is wrong, or belongs to another user. */
const WRONG_PATH: readonly (string | undefined)[] = ['EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'ELOOP', 'EROFS'];

const NOTHING: Restored = { entries: [], debts: [], last: 0 };

const utf8 = new TextEncoder();
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

/** A journal in a file, for one process at a time. */
export class Journal {
  readonly #fs: FileSystem;
  readonly #clock: RemoteClock;
  readonly #path: string;
  readonly #owner: JournalOwner;
  readonly #unlock: () => void;
  /** -1 while there is none. */
  #file = -1;
  /** Where the next line goes. */
  #size = 0;
  /** The lines of updates that are not settled, and the sum of their bytes. */
  #pending: { readonly number: number; readonly bytes: number }[] = [];
  #live = 0;
  /** When to try again to write a file that can't be written. */
  #retryAt: number | undefined;
  /** When to try again to write a smaller file, for which there was no space. */
  #compactAt = 0;
  /** Where a damaged file is kept when another takes its place. */
  #aside: string | undefined;
  #isClosed = false;

  private constructor(path: string, owner: JournalOwner, fs: FileSystem, clock: RemoteClock, unlock: () => void) {
    this.#path = path;
    this.#owner = owner;
    this.#fs = fs;
    this.#clock = clock;
    this.#unlock = unlock;
  }

  /**
   * Opens a journal. Throws an error that names the option if the path can't be used, or another
   * process uses it. A damaged file is kept aside, and everything is owed.
   */
  static open(path: string, owner: JournalOwner, fs: FileSystem, clock: RemoteClock): [Journal, Restored] {
    const unlock = lock(fs, `${path}.lock`);
    try {
      const journal = new Journal(path, owner, fs, clock, unlock);
      return [journal, journal.#restore()];
    } catch (error) {
      unlock();
      throw error instanceof HubError ? error : badOption('remote.queue.file', (error as Error).message);
    }
  }

  /** Notes an update that is accepted. */
  accepted(number: number, type: string, json: string): void {
    this.#write({ accepted: number, type, json });
  }

  /** Notes a batch that is about to be sent. */
  sending(key: string, last: number): void {
    this.#write({ batch: key, last });
  }

  /** Notes that all updates up to a number are settled. */
  done(number: number): void {
    const left = this.#pending.findIndex((line) => line.number > number);
    const settled = this.#pending.splice(0, left < 0 ? this.#pending.length : left);
    for (const { bytes } of settled) this.#live -= bytes;
    this.#write({ done: number });
    this.#compact();
  }

  /** Notes that a type has to be announced; `null` for everything. */
  owed(type: string | null): void {
    this.#write({ owed: type });
  }

  /** Notes that an announcement was published; what was lost meanwhile is to be announced again. */
  announced(left: Types): void {
    this.#write({ announced: left });
    this.#compact();
  }

  /** Ends it: another process may use the file. */
  close(): void {
    this.#isClosed = true;
    this.#closeFile();
    this.#unlock();
  }

  #restore(): Restored {
    const restored = this.#read();
    const state = restored ?? { ...NOTHING, debts: null };
    try {
      this.#rewrite(state);
    } catch (error) {
      if (!isFull(error)) throw error;
      // What is there remains, and is marked: it is not what waits any more.
      this.#reopen();
      this.#fail(error);
    }
    return state;
  }

  /** Returns what the file has; `undefined` if that is not known. */
  #read(): Restored | undefined {
    try {
      const bytes = readIfThere(this.#fs, this.#path);
      // Without it, this is the first process, or the last one ended while it replaced the file.
      if (!bytes) return readLines(decode(readIfThere(this.#fs, `${this.#path}.new`))) ?? NOTHING;
      const text = decode(bytes);
      const restored = text.includes('\n') ? readLines(text) : undefined;
      if (restored) return restored;
      this.#damaged('is damaged or incomplete');
    } catch (error) {
      if (WRONG_PATH.includes(codeOf(error))) throw error;
      this.#damaged(`can't be read (${(error as Error).message})`, error);
    }
    return undefined;
  }

  #damaged(what: string, cause?: unknown): void {
    this.#aside = `${this.#path}.damaged`;
    const detail = `${this.#path} ${what} and is kept as ${this.#path}.damaged; a resync of everything is announced`;
    this.#owner.onError(new HubError('journal', detail, { cause }));
  }

  #write(event: JournalEvent): void {
    if (this.#isClosed) return;
    if (this.#retryAt !== undefined) {
      this.#retry();
      return;
    }
    const bytes = utf8.encode(lineOf(event));
    try {
      writeAll(this.#fs, this.#file, bytes, this.#size);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#size += bytes.length;
    if ('accepted' in event) this.#pend(event.accepted, bytes.length);
  }

  #pend(number: number, bytes: number): void {
    this.#pending.push({ number, bytes });
    this.#live += bytes;
  }

  #compact(): void {
    if (this.#isClosed || this.#retryAt !== undefined) return;
    const now = this.#clock.now();
    if (this.#size - this.#live <= Math.max(COMPACT, this.#live) || now < this.#compactAt) return;
    try {
      this.#rewrite(this.#owner.state());
    } catch {
      // The old file goes on, and is larger than it has to be.
      this.#compactAt = now + RETRY;
    }
  }

  /** Marks the file as incomplete, and leaves it alone for a while. */
  #fail(error: unknown): void {
    const isNew = this.#retryAt === undefined;
    this.#retryAt = this.#clock.now() + RETRY;
    try {
      writeAll(this.#fs, this.#file, utf8.encode('!'), 0);
    } catch {
      // What waits in memory is lost without an announcement if the process ends now.
    }
    if (!isNew) return;
    const detail = `${this.#path} can't be written (${(error as Error).message}); what waits is kept in memory only`;
    this.#owner.onError(new HubError('journal', detail, { cause: error }));
  }

  /** Writes the file anew if it is time to; the state contains the event that is to be written. */
  #retry(): void {
    if (this.#clock.now() < (this.#retryAt ?? 0)) return;
    try {
      this.#rewrite(this.#owner.state());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Puts a file with nothing but this state in the place of the old one. */
  #rewrite(state: Restored): void {
    const next = `${this.#path}.new`;
    const bytes = utf8.encode(linesOf(state));
    const file = this.#fs.openSync(next, 'w+', 0o600);
    try {
      writeAll(this.#fs, file, bytes, 0);
    } catch (error) {
      this.#fs.closeSync(file);
      // It would take the last space of a full disk.
      remove(this.#fs, next);
      throw error;
    }
    // Windows replaces no file that is open.
    this.#closeFile();
    try {
      this.#keepDamaged();
      this.#fs.renameSync(next, this.#path);
    } catch (error) {
      this.#fs.closeSync(file);
      this.#reopen();
      throw error;
    }
    this.#file = file;
    this.#size = bytes.length;
    this.#retryAt = undefined;
    this.#live = 0;
    this.#pending = [];
    for (const { number, type, json } of state.entries) {
      this.#pend(number, utf8.encode(lineOf({ accepted: number, type, json })).length);
    }
  }

  #keepDamaged(): void {
    if (this.#aside === undefined) return;
    this.#fs.renameSync(this.#path, this.#aside);
    this.#aside = undefined;
  }

  #reopen(): void {
    try {
      this.#file = this.#fs.openSync(this.#path, 'r+');
    } catch {
      this.#file = -1;
    }
  }

  #closeFile(): void {
    if (this.#file < 0) return;
    const file = this.#file;
    this.#file = -1;
    try {
      this.#fs.closeSync(file);
    } catch {
      // The system has closed it all the same.
    }
  }
}
