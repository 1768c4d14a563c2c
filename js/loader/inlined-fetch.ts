// As `inlined.ts`, with the fetch transport.
export { bytes } from '../wasm/fetch/inline.js';
