// The compiled wasm module of the hub, and what it exports.
import { wasm } from './inline.js';

/** The exports of `wasm/hub/src/exports.rs`. */
export interface HubExports {
  readonly memory: WebAssembly.Memory;
  input(length: number): number;
  output(): number;
  output_length(): number;
  create(): number;
  connect(now: number): number;
  types(): number;
  disconnect(slot: number): void;
  rights(slot: number): number;
  full(now: number, slot: number): void;
  drained(slot: number): void;
  publish(now: number): number;
  publish_all(now: number, unixMs: number): number;
  announce_everything(): number;
  deliver(logged: number): number;
  begin(): number;
  flush(now: number, all: number): number;
  bye(slot: number, wait: number, retry: number): number;
  goodbye(wait: number): void;
  round(now: number): number;
  next(): number;
  watch(): number;
  watchers(number: number): number;
  cursor(): void;
  jitter(limit: number): number;
  counts(): void;
  slots(): number;
}

let compiled: WebAssembly.Module | undefined;

/** Makes an instance: a hub with a memory of its own. The module is compiled once a process. */
export function instantiate(): HubExports {
  compiled ??= new WebAssembly.Module(decode(wasm));
  return new WebAssembly.Instance(compiled).exports as unknown as HubExports;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
