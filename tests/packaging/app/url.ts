// The same, with the wasm as a file of its own.
import wasm from 'tinysse/wasm-url';
import { open } from './open.js';

open({ url: '/events', wasm });
