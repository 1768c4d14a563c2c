// Apart, because who gives the wasm as a file of its own needs neither.
import { decode } from './decode.js';
import { wasm } from './wasm/inline.js';

/** The inlined module. */
export const bytes = () => decode(wasm);
