/**
 * Where the wasm lies as a file of its own, for `createClient({ url, wasm })`: `import wasm from 'tinysse/wasm-url'`.
 * Bundlers that know `new URL(..., import.meta.url)` emit it (Vite, webpack, Parcel); with others, serve the file
 * `tinysse/tinysse.wasm` yourself and give its URL.
 */
declare const wasm: URL;
export default wasm;
