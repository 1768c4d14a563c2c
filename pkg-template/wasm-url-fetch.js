/** As `wasm-url.js`, for `transport: 'fetch'`. */
export default new URL('./wasm/fetch/tinysse.wasm', import.meta.url);
