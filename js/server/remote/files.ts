// What a journal uses of node:fs.
import { badOption } from '../errors.js';
import { builtin } from '../runtime.js';

/** Synchronous files: what is written is with the operating system when the call returns. */
export interface FileSystem {
  openSync(path: string, flags: string, mode?: number): number;
  writeSync(file: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  closeSync(file: number): void;
  readFileSync(path: string): Uint8Array;
  renameSync(from: string, to: string): void;
  linkSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  statSync(path: string): { readonly mtimeMs: number };
  ftruncateSync(file: number, length: number): void;
}

/** Returns the files of the runtime. Throws an error that names the option if it has none. */
export function runtimeFiles(): FileSystem {
  const fs = builtin('node:fs') as FileSystem | undefined;
  if (!fs?.openSync) throw badOption('remote.queue.file', 'this runtime has no files');
  return fs;
}

/** Writes all of it: one call may write less, where the disk is nearly full. */
export function writeAll(fs: FileSystem, file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += fs.writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

/** Reads a file; `undefined` if there is none. */
export function readIfThere(fs: FileSystem, path: string): Uint8Array | undefined {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file, if it is there. */
export function remove(fs: FileSystem, path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // It is gone.
  }
}

/** The code of an error of the system, such as `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** True for the errors of a full disk, and of a user who may use no more of it. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
}
