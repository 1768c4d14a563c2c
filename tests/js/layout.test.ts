// What `wasm-opt --low-memory-unused` takes for granted of a module, looked for in modules that
// have it and that have it not.
import { expect, test } from 'vitest';
import { assertLowMemoryUnused } from '../../scripts/lib/layout.mjs';

const leb = (value: number): number[] => (value < 64 ? [value] : [(value % 128) | 128, ...leb(value >> 7)]);
const section = (id: number, ...body: number[]) => [id, ...leb(body.length), ...body];
const constant = (value: number) => [0x41, ...leb(value), 0x0b];

/** A module with a stack pointer that begins at `stack`, and a byte of data at each address. */
function moduleOf(stack: number, ...data: number[]): Uint8Array<ArrayBuffer> {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const memory = section(5, 1, 0, 32);
  const globals = section(6, 2, 0x7f, 0x00, ...constant(7), 0x7f, 0x01, ...constant(stack));
  const segments = data.flatMap((address) => [0, ...constant(address), 1, 0x2a]);
  return Uint8Array.from([...header, ...memory, ...globals, ...section(11, data.length, ...segments)]);
}

test.each([
  ['the stack first, then the data', moduleOf(1 << 20, (1 << 20) + 8, 1 << 20)],
  ['no data', moduleOf(1 << 14)],
])('allowed: %s', (_, module) => {
  expect(WebAssembly.validate(module)).toBe(true);
  expect(() => assertLowMemoryUnused(module, 'a module')).not.toThrow();
});

test.each([
  ['data below 1024', moduleOf(1 << 20, 1 << 20, 1000)],
  ['data first, the stack above them', moduleOf((1 << 20) + 1024, 1024)],
  ['a stack with no room to spare', moduleOf(2048, 4096)],
])('refused: %s', (_, module) => {
  expect(WebAssembly.validate(module)).toBe(true);
  expect(() => assertLowMemoryUnused(module, 'a module')).toThrow('a module: --low-memory-unused is unsound');
});
