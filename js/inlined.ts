// Apart, because who gives the wasm as a file of its own needs neither.
import { wasm } from './wasm/inline.js';

/** The inlined module. */
export function bytes(): Uint8Array<ArrayBuffer> {
  const modern = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  return modern.fromBase64?.(wasm) ?? Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0));
}
