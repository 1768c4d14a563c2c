// wasm-bindgen's glue, made smaller: what it has for other ways of loading, for browsers without ES2022, and for objects that nobody
// closes is not needed here. Each change is looked for word by word, so that another version of wasm-bindgen fails loudly.
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

/** A `let` or `const` of the glue, with what follows it until the next blank line. */
const statement = (name) => new RegExp(`^(?:let|const) ${name} =[\\s\\S]*?\\n\\n`, 'm');

export const changes = [
  // The caller has the bytes, or has compiled them: no fetch, no streaming, nothing deprecated.
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
  // The facade frees each client that it closes, and a client frees its closures: nothing is left to be found by a registry.
  [statement('SseClientFinalization'), ''],
  [/^.*SseClientFinalization\.(?:un)?register\(.*\n/gm, ''],
  [statement('CLOSURE_DTORS'), ''],
  [/^.*CLOSURE_DTORS\.(?:un)?register\(.*\n/gm, ''],
  [/^if \(Symbol\.dispose\) .*\n/m, ''],
  // Strings go in by the browser's own encoder: two passes and a second allocation are for those that have none. Short ones by a buffer that
  // is there: a new array costs three times as much.
  // Bytes go the same way from there on; the eventsource transport has none.
  [
    /(?:^function passArray8ToWasm0\([\s\S]*?^\}\n\n?)?^function passStringToWasm0\([\s\S]*?^\}\n/m,
    `function passArray8ToWasm0(bytes, malloc) {
  const ptr = malloc(bytes.length, 1) >>> 0;
  getUint8ArrayMemory0().set(bytes, ptr);
  WASM_VECTOR_LEN = bytes.length;
  return ptr;
}
const room = new Uint8Array(1024);
function passStringToWasm0(text, malloc) {
  const short = text.length * 3 <= room.length && cachedTextEncoder.encodeInto(text, room);
  return passArray8ToWasm0(short ? room.subarray(0, short.written) : cachedTextEncoder.encode(text), malloc);
}
`,
  ],
  [/, wasm\.__wbindgen_realloc\)/g, ')'],
  [/^if \(!\('encodeInto' in cachedTextEncoder\)\) \{[\s\S]*?^\}\n/m, ''],
  // A closure has five arguments at most, and is called with each chunk of a stream: nothing is to be gathered and spread there.
  ['const real = (...args) => {', 'const real = (a, b, c, d, e) => {'],
  ['return f(state.a, state.b, ...args);', 'return f(state.a, state.b, a, b, c, d, e);'],
  // Asked for when an option or a pattern is read.
  [body('getDataViewMemory0'), 'function getDataViewMemory0() {\n  return new DataView(wasm.memory.buffer);\n}\n'],
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
