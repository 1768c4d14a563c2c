// Shortens the names by which the wasm and its glue know each other. wasm-bindgen's carry a hash
// each, which no compressor can shrink and which is shipped twice.
import { Stop } from './log.mjs';
import { Reader, skipImportType } from './sections.mjs';

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** a, b, ... z, aa, ab, ... */
function short(index) {
  const rest = Math.floor(index / letters.length);
  return (rest > 0 ? short(rest - 1) : '') + letters[index % letters.length];
}

function leb(value) {
  const bytes = [];
  let left = value;
  do {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.from(bytes);
}

const text = (string) => Buffer.concat([leb(Buffer.byteLength(string)), Buffer.from(string)]);

/** Gives every name a short one, in the order in which they come. */
class Names {
  #short = new Map();

  of(name) {
    if (!this.#short.has(name)) this.#short.set(name, short(this.#short.size));
    return this.#short.get(name);
  }

  /**
   * Every occurrence in `source` that `pattern` makes of a name, replaced; a name that has none is
   * an error.
   */
  apply(source, what, pattern, replacement) {
    let result = source;
    for (const [name, brief] of this.#short) {
      const before = result;
      result = result.replace(pattern(name.replace(/[.$/]/g, '\\$&')), replacement(brief));
      if (result === before && what !== 'export') throw new Stop(`the glue does not know the ${what} ${name}`);
    }
    return result;
  }
}

/** The section's body with short names. `skip` steps over what follows an entry's names. */
function renamed(reader, names, skip) {
  const count = reader.number();
  const parts = [leb(count)];
  for (let left = count; left > 0; left--) {
    for (const each of names) parts.push(text(each.of(reader.text())));
    const start = reader.at;
    skip(reader);
    parts.push(reader.bytes.subarray(start, reader.at));
  }
  return Buffer.concat(parts);
}

/** The same module and glue, speaking in short names. */
export function shorten(wasm, glue) {
  const [modules, imports, exports] = [new Names(), new Names(), new Names()];
  const reader = new Reader(wasm, 8);
  const sections = [wasm.subarray(0, 8)];
  while (reader.at < wasm.length) {
    const start = reader.at;
    const id = wasm[reader.at++];
    const end = reader.number() + reader.at;
    let section = wasm.subarray(start, end);
    if (id === 2 || id === 7) {
      const skipExport = (export_) => {
        export_.skip(1);
        export_.number();
      };
      const body =
        id === 2 ? renamed(reader, [modules, imports], skipImportType) : renamed(reader, [exports], skipExport);
      section = Buffer.concat([Buffer.from([id]), leb(body.length), body]);
    }
    reader.at = end;
    sections.push(section);
  }
  let source = modules.apply(
    glue,
    'module',
    (name) => new RegExp(`"${name}":`, 'g'),
    (name) => `"${name}":`,
  );
  source = imports.apply(
    source,
    'import',
    (name) => new RegExp(`^(\\s+)${name}: `, 'gm'),
    (name) => `$1${name}: `,
  );
  // What wasm-bindgen exports for the glue of features that this client does not use is named
  // nowhere.
  source = exports.apply(
    source,
    'export',
    (name) => new RegExp(`\\bwasm\\.${name}\\b`, 'g'),
    (name) => `wasm.${name}`,
  );
  return { wasm: Buffer.concat(sections), glue: source };
}
