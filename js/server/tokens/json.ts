// JSON as the Rust server reads it: bytes are UTF-8, and no member that counts appears twice.

/** Without replacement: what is no UTF-8 is refused. A byte order mark is no JSON. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Half of a pair of surrogates, which JSON can write as an escape. */
const HALF = /\p{Cs}/u;
const MAX_LEVELS = 127;

/** A string, with a colon behind it if it names a member; or a bracket. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;

/**
 * Reads an object from JSON. Returns `undefined` for what is no JSON, is no object, or has one of
 * the names that count more than once. `JSON.parse` would use the last of them, and other programs
 * the first.
 *
 * ```ts
 * readObject(new TextEncoder().encode('{"alg":"HS256"}'), new Set(['alg'])); // { alg: 'HS256' }
 * readObject(new TextEncoder().encode('{"alg":"none","alg":"HS256"}'), new Set(['alg'])); // undefined
 * ```
 */
export function readObject(bytes: Uint8Array, counted: ReadonlySet<string>): Record<string, unknown> | undefined {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  // What is written again as it was had no name twice; most texts are. The rest is looked through.
  if (JSON.stringify(value) !== text && !isUnique(text, counted)) return undefined;
  return value as Record<string, unknown>;
}

/**
 * Returns true for a value that every program reads alike: without half pairs of surrogates, which
 * Unicode does not have, numbers past all, and more than 127 levels.
 *
 * ```ts
 * isPortable(JSON.parse('{"kid":"a"}')); // true
 * isPortable(JSON.parse('["\\ud800"]')); // false
 * ```
 */
export function isPortable(value: unknown, level = 1): boolean {
  if (typeof value === 'string') return !HALF.test(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (level > MAX_LEVELS) return false;
  return Object.entries(value).every(([name, inner]) => isPortable(name) && isPortable(inner, level + 1));
}

/** Returns true if the object of a valid text has each name that counts at most once. */
function isUnique(text: string, counted: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  let depth = 0;
  for (const [token, string, colon] of text.matchAll(TOKEN)) {
    if (string === undefined) {
      depth += token === '{' || token === '[' ? 1 : -1;
    } else if (colon !== undefined && depth === 1) {
      const name = string.includes('\\') ? (JSON.parse(string) as string) : string.slice(1, -1);
      if (!counted.has(name)) continue;
      if (seen.has(name)) return false;
      seen.add(name);
    }
  }
  return true;
}
