// The wasm in streams by kind: what was split is put together again, whatever it is, and what is broken ends with an error.
import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode } from '../../js/decode.js';
import { rejoin } from '../../js/rejoin.js';
import { encode } from '../../scripts/lib/inline.mjs';
import { split } from '../../scripts/lib/split.mjs';

const modules = ['js/wasm/tinysse.wasm', 'js/wasm/fetch/tinysse.wasm', 'target/eventsource.wasm'];
const read = (path: string): Uint8Array => readFileSync(new URL(`../../${path}`, import.meta.url));

const again = async (wasm: Uint8Array) => {
  const { bytes, starts, start, stop } = await split(wasm);
  return Buffer.from(rejoin(decode(encode(bytes)), starts, start, stop));
};

/** A module with one function without parameters, locals and results, and a section behind it. */
const withCode = (...body: number[]) => {
  const code = [1, body.length + 2, 0, ...body, 0x0b];
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 10, code.length, ...code, 0, 2, 1, 0x78]);
};

/** Numbers of a fixed sequence: Park and Miller's generator. */
const random = (seed: number) => () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed;
};

describe('what was split is put together again', () => {
  test.each(modules)('%s', async (path) => {
    expect((await again(read(path))).equals(read(path))).toBe(true);
  });

  test.each([
    ['an empty module', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
    ['blocks', withCode(0x02, 0x40, 0x03, 0x40, 0x0b, 0x0b)],
    ['a table of branches', withCode(0x02, 0x40, 0x41, 0, 0x0e, 2, 0, 0, 0, 0x0b)],
    ['a double with the bytes of other opcodes', withCode(0x44, 0xfd, 0x0b, 0x0b, 0x80, 0x80, 2, 2, 2, 0x1a)],
    ['a vector', withCode(0xfd, 12, ...new Array(16).fill(0xff), 0x1a)],
    ['instructions with prefixes', withCode(0xfc, 10, 0, 0, 0xfc, 11, 0, 0xfd, 0xff, 1, 0xfd, 0, 4, 0x80, 1)],
    ['a load with a long offset', withCode(0x28, 2, 0x80, 0x80, 0x80, 0x80, 1)],
  ])('%s', async (_, wasm) => {
    expect([...(await again(wasm))]).toEqual([...wasm]);
  });

  test('modules whose code was damaged, or an opcode is reported that nobody knows', async () => {
    const next = random(7);
    const [path] = modules.slice(-1) as [string];
    let whole = 0;
    for (let round = 0; round < 300; round++) {
      const wasm = Uint8Array.from(read(path));
      for (let left = 1 + (next() % 4); left > 0; left--) wasm[100 + (next() % (wasm.length - 100))] = next() % 256;
      const result = await again(wasm).catch((error: Error) => error);
      if (result instanceof Error) expect(result.message).toMatch(/does not know the opcode/);
      else expect(result.equals(wasm)).toBe(true);
      if (Buffer.isBuffer(result)) whole += 1;
    }
    expect(whole).toBeGreaterThan(30);
  });
});

test('an opcode that the build does not know fails the build', async () => {
  await expect(split(withCode(0x06))).rejects.toThrow('does not know the opcode 0x6');
});

describe('a text that is cut off ends with an error', () => {
  test.each(modules)('%s', async (path) => {
    const { bytes, starts, start, stop } = await split(read(path));
    const text = encode(bytes);
    // The shortest table is two bytes, and one of them may be a pair.
    for (let length = 0; length < text.length - 100; length += 997) {
      expect(() => rejoin(decode(text.slice(0, length)), [...starts], start, stop)).toThrow(RangeError);
    }
  });
});

test('bytes of any kind end, and make a module of the length that was asked for', () => {
  const next = random(11);
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: 2_000 }, () => next() % 256);
    const starts = Array.from({ length: 10 }, () => next() % 2_000).concat(1_500);
    expect(rejoin(bytes, starts, next() % 1_500, next() % 3_000)).toHaveLength(1_500);
  }
});

test('streams make the download smaller', async () => {
  const brotli = (text: string) => brotliCompressSync(text).length;
  for (const [path, gain] of [
    ['js/wasm/tinysse.wasm', 900],
    ['js/wasm/fetch/tinysse.wasm', 1_700],
  ] as const) {
    expect(brotli(encode(read(path))) - brotli(encode((await split(read(path))).bytes))).toBeGreaterThan(gain);
  }
});
