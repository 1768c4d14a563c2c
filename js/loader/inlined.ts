// Apart, because a page that gives the wasm as a file of its own does not need it.
export { bytes } from '../wasm/inline.js';
