// Nothing is done twice: a piece of work is known by the hash of what goes in, and its stamp is
// written only after it succeeded.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { dim, say, timed } from './log.mjs';
import { at, root } from './paths.mjs';

/**
 * Every file below the given files and folders, in a fixed order; what does not exist has no files.
 */
export function filesOf(paths) {
  const found = [];
  const walk = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) {
        if (name !== 'node_modules' && name !== 'target' && name !== 'dist') walk(join(path, name));
      }
    } else {
      found.push(path);
    }
  };
  for (const path of paths) walk(path);
  return found;
}

/** One hash of names, contents and whatever else matters (versions, flags). */
export function hashOf(paths, extra = []) {
  const hash = createHash('sha256');
  for (const file of filesOf(paths)) {
    hash.update(`${relative(root, file).split(sep).join('/')}\0`);
    hash.update(createHash('sha256').update(readFileSync(file)).digest());
  }
  hash.update(JSON.stringify(extra));
  return hash.digest('hex');
}

/** Writes a file so that a reader sees the old one or the new one, never half of it. */
export function writeWhole(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, content);
  renameSync(fresh, file);
}

/** Puts the folder `fresh` in the place of `dir`. */
export function replaceDir(fresh, dir) {
  const old = `${dir}.${process.pid}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dir)) renameSync(dir, old);
  renameSync(fresh, dir);
  rmSync(old, { recursive: true, force: true });
}

/** Does `work` unless the same inputs made the same outputs before. */
export async function once(name, what, { inputs, extra = [], outputs }, work) {
  const stamp = at('target', 'stamps', name);
  const outputsHash = () => hashOf(outputs);
  const inputsHash = hashOf(inputs, extra);
  const exists = outputs.every((path) => existsSync(path));
  if (exists && existsSync(stamp) && readFileSync(stamp, 'utf8') === `${inputsHash} ${outputsHash()}`) {
    say(`${what} ${dim('is up to date')}`);
    return;
  }
  rmSync(stamp, { force: true });
  await timed(what, work);
  writeWhole(stamp, `${inputsHash} ${outputsHash()}`);
}
