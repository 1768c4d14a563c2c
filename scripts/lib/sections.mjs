// Reads as much of a wasm module as is needed to describe its bytes: sections, function bodies,
// names.
const sectionNames = ['custom', 'type', 'import', 'function', 'table', 'memory', 'global', 'export', 'start'];
sectionNames.push('element', 'code', 'data', 'data count', 'tag');

export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** LEB128, unsigned. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  text() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  skip(length) {
    this.at += length;
  }
}

/** Steps over the type of an import; answers whether it is a function. */
export function skipImportType(reader) {
  const kind = reader.bytes[reader.at++];
  if (kind === 3) {
    reader.skip(2);
  } else if (kind === 1 || kind === 2) {
    if (kind === 1) reader.skip(1);
    const limits = reader.number();
    reader.number();
    if (limits & 1) reader.number();
  } else {
    // A function's type; a tag has an attribute before it.
    if (kind === 4) reader.skip(1);
    reader.number();
  }
  return kind === 0;
}

function importedFunctions(reader) {
  let functions = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.text();
    reader.text();
    if (skipImportType(reader)) functions += 1;
  }
  return functions;
}

function functionNames(reader, end) {
  const names = new Map();
  while (reader.at < end) {
    const kind = reader.bytes[reader.at++];
    const size = reader.number();
    if (kind !== 1) {
      reader.skip(size);
      continue;
    }
    for (let left = reader.number(); left > 0; left--) names.set(reader.number(), reader.text());
  }
  return names;
}

/**
 * `{ sections: [{ name, size }], functions: [{ name, size }] }`, sizes in bytes, headers included.
 */
export function dissect(bytes) {
  const reader = new Reader(bytes, 8);
  const sections = [];
  const bodies = [];
  let imported = 0;
  let names = new Map();
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.bytes[reader.at++];
    const end = reader.number() + reader.at;
    let name = sectionNames[id] ?? `section ${id}`;
    if (id === 0) {
      name = reader.text();
      if (name === 'name') names = functionNames(reader, end);
    } else if (id === 2) {
      imported = importedFunctions(reader);
    } else if (id === 10) {
      for (let left = reader.number(); left > 0; left--) {
        const size = reader.number();
        bodies.push(size);
        reader.skip(size);
      }
    }
    reader.at = end;
    sections.push({ name, size: end - start });
  }
  const functions = bodies.map((size, index) => ({
    name: names.get(index + imported) ?? `function ${index + imported}`,
    size,
  }));
  return { sections, functions };
}
