// As `inlined.ts`, with the fetch transport.
import { decode } from './decode.js';
import { wasm } from './wasm/fetch/inline.js';

/** The inlined module. */
export const bytes = () => decode(wasm);
