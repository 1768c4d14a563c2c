// wasm-bindgen's glue, made smaller. Each rewrite must match, so that another version of wasm-bindgen fails loudly.
import { Stop } from './log.mjs';
import { at } from './paths.mjs';

/** Fails loudly when another version of wasm-bindgen writes something else. */
export function replaceOnce(text, pattern, replacement) {
  const result = text.replace(pattern, replacement);
  if (result === text) throw new Stop(`wasm-bindgen's output has no ${pattern}`);
  return result;
}

/** A function of the glue, by its name, to its closing brace. */
const body = (name) => new RegExp(`^(?:async )?function ${name}\\([\\s\\S]*?^\\}\\n`, 'm');

/**
 * The rewrites, by what they are for, each with the bytes that it saves of the Brotli form of the glue, without and with the transport
 * `fetch` (wasm-bindgen 0.2.130). What saves less than 100 bytes is not worth a rewrite.
 */
const changes = [
  // 503 and 494 bytes. The caller has the bytes, or has compiled them: no fetch, no streaming, nothing deprecated.
  ['export { initSync, __wbg_init as default };', 'export { initSync };'],
  [
    body('initSync'),
    `function initSync({ module }) {
  if (wasm) return;
  if (!(module instanceof WebAssembly.Module)) module = new WebAssembly.Module(module);
  __wbg_finalize_init(new WebAssembly.Instance(module, __wbg_get_imports()));
}
`,
  ],
  [
    body('__wbg_finalize_init'),
    'function __wbg_finalize_init(instance) {\n  wasm = instance.exports;\n  wasm.__wbindgen_start();\n}\n',
  ],
  // 120 and 105 bytes. The facade frees each client that it closes, and a client frees its closures: a registry would find nothing.
  [/^(?:let|const) (?:SseClientFinalization|CLOSURE_DTORS) =[\s\S]*?\n\n/gm, ''],
  [/^.*(?:SseClientFinalization|CLOSURE_DTORS)\.(?:un)?register\(.*\n/gm, ''],
  [/^if \(Symbol\.dispose\) .*\n/m, ''],
  // 119 and 105 bytes. Strings are encoded by the browser; two passes and a second allocation are for browsers without ES2022. Short ones go
  // through a buffer that exists: a new array costs three times as much. Bytes are copied the same way.
  [
    /(?:^function passArray8ToWasm0\([\s\S]*?^\}\n\n?)?^function passStringToWasm0\([\s\S]*?^\}\n/m,
    `function passArray8ToWasm0(bytes, malloc) {
  const ptr = malloc(bytes.length, 1) >>> 0;
  getUint8ArrayMemory0().set(bytes, ptr);
  WASM_VECTOR_LEN = bytes.length;
  return ptr;
}
const buffer = new Uint8Array(1024);
function passStringToWasm0(text, malloc) {
  const short = text.length * 3 <= buffer.length && cachedTextEncoder.encodeInto(text, buffer);
  return passArray8ToWasm0(short ? buffer.subarray(0, short.written) : cachedTextEncoder.encode(text), malloc);
}
`,
  ],
  [/, wasm\.__wbindgen_realloc\)/g, ')'],
  [/^if \(!\('encodeInto' in cachedTextEncoder\)\) \{[\s\S]*?^\}\n/m, ''],
];

/** The glue with no more than this package needs, and with the methods of the class that do not pass through wasm. */
export function slim(source) {
  const slimmed = changes.reduce((text, [pattern, replacement]) => replaceOnce(text, pattern, replacement), source);
  return `${slimmed}\nimport { equip } from '${at('src', 'web', 'equip.js')}';\nequip(SseClient);\n`;
}

/**
 * Properties that are used in the glue and in `src/web` alone: those whose name begins with `_`, wasm-bindgen's own among them. They are
 * shortened; every other property is the browser's or the application's.
 */
export const privateNames = /^_/;
