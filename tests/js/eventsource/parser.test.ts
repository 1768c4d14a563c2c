// The border to the wasm; what streams mean is tested natively (tests/wire.rs, tests/scan.rs) and
// in browsers (tests/e2e/eventsource).
import { describe, expect, onTestFinished, test } from 'vitest';
import { CHUNK_BYTES, Parser } from '../../../js/eventsource/parser.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** All events that a parser finds in a stream, cut into chunks of this length. */
function read(stream: Uint8Array, chunk: number, parser = new Parser(2 ** 27)) {
  const said: unknown[] = [];
  for (let at = 0; at < stream.length; at += chunk) {
    for (const { retry, id, kind, data } of parser.feed(stream.subarray(at, at + chunk))) {
      if (retry !== undefined) said.push(retry);
      else said.push(data === undefined ? [id] : [kind, id, data]);
    }
  }
  parser.free();
  return said;
}

test('events, ids and reconnection times, wherever the chunks are cut', () => {
  const stream = bytes(
    '\ufeffid: 1\nevent: a\ndata: x\n\nretry: 7\ndata: \u20ac\n\nid: \u{1f600}\n\ndata: y\nevent: caf\u00e9\n\n',
  );
  const all = [['a', '1', 'x'], 7, ['message', undefined, '\u20ac'], ['\u{1f600}'], ['caf\u00e9', undefined, 'y']];
  for (let chunk = 1; chunk <= stream.length; chunk++) expect(read(stream, chunk)).toEqual(all);
});

test('what is decoded at once equals what is decoded one by one, bad bytes included', () => {
  const odd = [
    'x',
    '\xff',
    '\xc3',
    '\xa9',
    '\xe2\x82',
    '\xac',
    '\xf0\x9f',
    '\x98\x80',
    'event: ',
    'id: ',
    'data: ',
    '\n',
    '\n\n',
    '\r',
    '\0',
  ];
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from({ length: random(40) }, () => odd[random(odd.length)]).join('');
    const stream = Uint8Array.from(`${text}\n\n`, (c) => c.charCodeAt(0));
    expect(read(stream, stream.length)).toEqual(read(stream, 1));
  }
});

test('types are remembered by what they are, not by their length', () => {
  const stream = bytes(
    'event: abc\ndata\n\nevent: abd\ndata\n\nevent: abc\ndata\n\nevent: \u00e9c\ndata\n\n'.repeat(3),
  );
  const kinds = read(stream, stream.length).map((one) => (one as string[])[0]);
  expect(kinds).toEqual([
    'abc',
    'abd',
    'abc',
    '\u00e9c',
    'abc',
    'abd',
    'abc',
    '\u00e9c',
    'abc',
    'abd',
    'abc',
    '\u00e9c',
  ]);
});

test('many streams at once, in one memory that grows', () => {
  const all = Array.from({ length: 500 }, (_, i) => ({ parser: new Parser(2 ** 27), name: `stream ${i}` }));
  for (const { parser, name } of all) {
    const found = parser.feed(bytes(`id: ${name}\ndata: ${name}\n\nevent: ${name}\ndata: unfin`));
    expect(found).toEqual([{ retry: undefined, id: name, kind: 'message', data: name }]);
  }
  const big = new Parser(2 ** 27);
  big.feed(bytes('data: '));
  for (let i = 0; i < 512; i++) big.feed(new Uint8Array(CHUNK_BYTES).fill(120));
  for (const { parser, name } of all) {
    const found = parser.feed(bytes('ished\n\n'));
    expect(found).toEqual([{ retry: undefined, id: undefined, kind: name, data: 'unfinished' }]);
  }
  for (const { parser } of [{ parser: big }, ...all]) parser.free();
});

test('memory is used again: streams come and go, events small and large, and it does not grow', () => {
  const chunk = new Uint8Array(CHUNK_BYTES).fill(120);
  let memory: WebAssembly.Memory | undefined;
  const made = (instance: WebAssembly.Instance) => {
    memory = instance.exports.memory as WebAssembly.Memory;
  };
  const real = WebAssembly.Instance;
  WebAssembly.Instance = class extends real {
    constructor(module: WebAssembly.Module) {
      super(module);
      made(this);
    }
  };
  onTestFinished(() => {
    WebAssembly.Instance = real;
  });
  const round = (seed: number) => {
    const parsers = Array.from({ length: 8 }, () => new Parser(2 ** 27));
    for (const [i, parser] of parsers.entries()) {
      parser.feed(bytes(`id: ${seed}\ndata: `));
      for (let left = (i * seed) % 9; left > 0; left--) parser.feed(chunk);
      parser.feed(bytes('\n\n'));
      if ((i + seed) % 3) parser.free();
    }
    for (const [i, parser] of parsers.entries()) if ((i + seed) % 3 === 0) parser.free();
  };
  const keep = new Parser(2 ** 27); // or the instance would be dropped
  for (let seed = 1; seed < 30; seed++) round(seed);
  const before = memory?.buffer.byteLength;
  for (let seed = 1; seed < 200; seed++) round(seed);
  expect(memory?.buffer.byteLength).toBe(before);
  keep.free();
  new Parser(100).free();
  expect(memory?.buffer.byteLength).toBeLessThan(before ?? 0);
});

test('an instance that read a stream reads the next one from the beginning', () => {
  read(bytes('id: 9\nevent: old\ndata: unfinished'), 5);
  expect(read(bytes('\ufeffdata: x\n\n'), 4)).toEqual([['message', undefined, 'x']]);
});

test('a line above the bound is refused, and what came before it is there', () => {
  const parser = new Parser(100);
  const found = parser.feed(bytes(`data: a\n\ndata: ${'x'.repeat(200)}\n\n`));
  expect([parser.tooLarge, found.map(({ data }) => data)]).toEqual([true, ['a']]);
});

describe('linear', () => {
  /** Milliseconds, the best of three. */
  function time(total: number, chunk: number): number {
    const part = new Uint8Array(chunk).fill(120);
    const once = () => {
      const parser = new Parser(2 ** 30);
      const start = performance.now();
      parser.feed(bytes('data: '));
      for (let left = total; left > 0; left -= chunk) parser.feed(part);
      const found = parser.feed(bytes('\n\n'));
      const took = performance.now() - start;
      expect([parser.tooLarge, found[0]?.data?.length]).toEqual([false, total]);
      return took;
    };
    return Math.min(once(), once(), once());
  }

  // Four times as much takes four times as long; a parser that looks again at what it holds would
  // take sixteen times.
  test.each([
    ['one line in whole pieces', 2 ** 24, CHUNK_BYTES],
    ['one line in single bytes', 2 ** 18, 1],
  ])('%s', (_, total, chunk) => {
    time(total / 4, chunk);
    expect(time(total, chunk) / time(total / 4, chunk)).toBeLessThan(9);
  });

  test('a line of 64 MiB, and the memory for it is let go', () => {
    time(2 ** 26, CHUNK_BYTES);
  });
});
