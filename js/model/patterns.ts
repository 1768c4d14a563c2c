// Patterns of types: their check, and which types they match.
import { SseError } from './errors.js';

/**
 * The patterns of a subscription as a list, each once. Throws an {@link SseError} (`options`) for
 * what is no pattern, so that a mistake shows where it is made and not when the wasm is there. The
 * grammar is that of `src/proto/registry.rs`.
 */
export function patterns(types: string | readonly string[]): string[] {
  const list = [...new Set(Array.isArray(types) ? (types as readonly string[]) : [types as string])];
  for (const pattern of list) {
    if (typeof pattern === 'string' && /^(?:\*|[^*]+\.\*|[^*]+)$/s.test(pattern)) continue;
    throw new SseError('options', `${JSON.stringify(pattern)} is no type: use 'name', 'prefix.*' or '*'`);
  }
  return list;
}

/** True if one of the patterns asks for the type. */
export function matches(list: readonly string[], type: string): boolean {
  return list.some((pattern) => {
    if (pattern === '*') return true;
    if (!pattern.endsWith('.*')) return pattern === type;
    const prefix = pattern.slice(0, -1);
    return type.length > prefix.length && type.startsWith(prefix);
  });
}

/** True if one update could be asked for by both lists; a resync may name patterns. */
export function overlap(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => matches(b, one)) || b.some((other) => matches(a, other));
}
