// The entry of the packaging test whose wasm is a file of its own.
import wasm from 'tinysse/wasm-url';
import { open } from './open.js';

open({ url: '/events', wasm });
