/** Where the wasm lies as a file of its own. Bundlers that know `new URL(..., import.meta.url)` emit it (Vite, webpack, Parcel). */
export default new URL('./wasm/tinysse.wasm', import.meta.url);
