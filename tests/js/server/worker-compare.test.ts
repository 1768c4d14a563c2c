// What counts as a change of a polled value: as in the Rust worker, and exact to the digit.
import { describe, expect, test } from 'vitest';
import { Comparison, type Detect, pointerFault } from '../../../js/server/worker/compare.js';

const json: Detect<unknown> = { by: 'json' };
const hash: Detect<unknown> = { by: 'hash' };
const at = (...pointers: string[]): Detect<unknown> => ({ by: 'pointer', pointers });

const bytes = (text: string) => new TextEncoder().encode(text);

async function same(detect: Detect<unknown>, a: string, b: string): Promise<boolean> {
  const comparison = new Comparison(detect);
  return comparison.isSame(await comparison.readBody(bytes(a)), await comparison.readBody(bytes(b)));
}

async function failure(detect: Detect<unknown>, body: string | Uint8Array): Promise<string> {
  const read = new Comparison(detect).readBody(typeof body === 'string' ? bytes(body) : body);
  return read.then(
    () => 'none',
    (error: Error) => error.message,
  );
}

describe('as JSON', () => {
  test.each([
    ['[1,2]', '[2,1]'],
    ['[1,[2]]', '[[1],2]'],
    ['[12]', '[1,2]'],
    ['["a","b"]', '["a,b"]'],
    ['{"a":"b"}', '["a","b"]'],
    ['{"a":1}', '{"a":1,"b":null}'],
    ['[]', '{}'],
    ['[]', '[[]]'],
    ['1', '"1"'],
    ['1', '-1'],
    ['10', '1'],
    ['0.1', '1'],
    ['1e1', '1e2'],
    ['null', '{}'],
    ['true', 'false'],
    ['true', '"true"'],
    ['"a"', '"A"'],
    ['"\\n"', '"n"'],
    // Equal for `JSON.parse`.
    ['{"id":9007199254740992}', '{"id":9007199254740993}'],
    ['0.1000000000000000055511151231257827', '0.1'],
  ])('%s and %s differ', async (a, b) => {
    expect(await same(json, a, b)).toBe(false);
  });

  test.each([
    ['{"a":[1,{"b":2,"c":3}]}', '{ "a": [1, {"c":3, "b":2}] }\n'],
    ['[1,10,0.5,-0.5]', '[1.0,1e1,5E-1,-0.50e+0]'],
    ['[0,0,0]', '[-0,0.00,0e7]'],
    ['100', '0.1e3'],
    ['12345678901234567890123', '1.2345678901234567890123e22'],
    ['"\\u0061\\/\\t"', '"a/\\u0009"'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['{"\\u0061":1}', '{"a":1}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
    ['[ ]', '[]'],
    ['{ }', '{}'],
    ['\ufeff[1]', '[1]'],
  ])('%s and %s are the same', async (a, b) => {
    expect(await same(json, a, b)).toBe(true);
  });

  test('a field named __proto__ is a field', async () => {
    expect(await same(json, '{"__proto__":1}', '{"__proto__":2}')).toBe(false);
  });

  test.each([
    ['<html>secret</html>', 'the answer is no JSON but looks like HTML or XML'],
    ['hush', 'the answer is no JSON'],
    ['{"a":1} hush', 'the answer is no JSON'],
    [' \n', 'the answer is empty'],
    ['[1e999]', 'the JSON has a number that is out of range'],
    ['['.repeat(128) + ']'.repeat(128), 'the JSON has more than 127 nested lists and objects'],
    [Uint8Array.of(0x22, 0xff, 0x22), 'the answer is no JSON: it is not in UTF-8'],
  ])('%s is a failure that quotes nothing', async (body, reason) => {
    expect(await failure(json, body)).toBe(reason);
  });

  test('what is nested as deep as permitted is read', async () => {
    expect(await failure(json, '['.repeat(127) + ']'.repeat(127))).toBe('none');
  });

  test('numbers and strings of a megabyte take linear time', async () => {
    const zeros = '0'.repeat(1 << 20);
    expect(await same(json, `0.${zeros}1`, `0.${zeros}2`)).toBe(false);
    expect(await same(json, `"${'\\"'.repeat(1 << 19)}"`, `"${'\\"'.repeat(1 << 19)}"`)).toBe(true);
  });
});

describe('at places', () => {
  test('only these count', async () => {
    const two = at('/a/0', '/b~1c');
    expect(await same(two, '{"a":[1,2],"b/c":3}', '{"a":[1,9],"b/c":3.0,"d":4}')).toBe(true);
    expect(await same(two, '{"a":[1],"b/c":3}', '{"a":[1],"b/c":4}')).toBe(false);
    expect(await same(two, '{"a":[null]}', '{"a":[]}')).toBe(false);
    expect(await same(two, '{"a":[1]}', '{"b/c":1}')).toBe(false);
    expect(await same(at('/id'), '{"id":9007199254740992}', '{"id":9007199254740993}')).toBe(false);
    expect(await same(at(''), '{}', '[]')).toBe(false);
    // A name that has escapes in any spelling.
    expect(await same(at('/a"b'), '{"a\\"b":1}', '{"a\\u0022b":2}')).toBe(false);
  });

  test.each([
    ['', true],
    ['/', 0],
    ['/a/0', 1],
    ['/a/1/b~1c', 2.5],
    ['/a/1/~0', 'tilde'],
    ['/a/1/~01', 'tilde one'],
    ['/a/2', null],
    ['/a/00', null],
    ['/a/+0', null],
    ['/a/-', null],
    ['/a/length', null],
    ['/a/0/0', null],
    ['/toString', null],
    ['/n', null],
    ['/b', null],
  ])('%s of a value', async (pointer, expected) => {
    const value = { a: [1, { 'b/c': 2.5, '~': 'tilde', '~1': 'tilde one' }], '': 0, n: null };
    expect(new Comparison<unknown>(at(pointer)).compared(value)).toEqual(expected === true ? value : expected);
    // What is compared agrees with what is sent.
    const reading = await new Comparison<unknown>(at(pointer)).readValue(value);
    const isThere = expected !== null || pointer === '/n';
    expect(reading.print === '!').toBe(!isThere);
  });

  test('of several places those that are there are sent, by pointer', () => {
    const comparison = new Comparison<unknown>(at('/at', '/current', '/none'));
    expect(comparison.compared({ current: { temperature: 7 }, at: 1 })).toEqual({
      '/at': 1,
      '/current': { temperature: 7 },
    });
    expect(new Comparison<unknown>(json).compared({ a: 1 })).toEqual({ a: 1 });
  });

  test('what is no pointer is described', () => {
    expect(['', '/', '/a', '/a~0~1'].map(pointerFault)).toEqual([undefined, undefined, undefined, undefined]);
    for (const wrong of ['a', '/a~2', '/a~', 7]) expect(pointerFault(wrong)).toContain('JSON pointer');
  });
});

describe('by hash', () => {
  test('every byte counts, and it need not be JSON', async () => {
    expect(await same(hash, '{}', '{ }')).toBe(false);
    expect(await same(hash, '\ufeff[1]', '[1]')).toBe(false);
    expect(await same(hash, 'plain', 'plain')).toBe(true);
    const comparison = new Comparison(hash);
    // Equal texts: both bytes are no UTF-8.
    const [a, b] = await Promise.all([0xfe, 0xff].map((byte) => comparison.readBody(Uint8Array.of(byte))));
    expect(a?.value).toBe(b?.value);
    expect(a && b && comparison.isSame(a, b)).toBe(false);
  });

  test('JSON is read, other text is taken as it is', async () => {
    const read = async (text: string) => (await new Comparison(hash).readBody(bytes(text))).value;
    expect(await read('\ufeff {"a":1} ')).toEqual({ a: 1 });
    expect(await read('a "b"\n')).toBe('a "b"\n');
  });
});

describe('by a function', () => {
  const drift: Detect<number> = { by: 'function', changed: (previous, next) => Math.abs(next - previous) >= 5 };

  test('it decides', async () => {
    const comparison = new Comparison(drift);
    const [one, five, six] = await Promise.all(['1', '5', '6'].map((text) => comparison.readBody(bytes(text))));
    expect(one && five && comparison.isSame(one, five)).toBe(true);
    expect(one && six && comparison.isSame(one, six)).toBe(false);
  });

  test('values of a client need no JSON form', async () => {
    const comparison = new Comparison<bigint>({ by: 'function', changed: (a, b) => a !== b });
    expect((await comparison.readValue(7n)).value).toBe(7n);
    await expect(new Comparison<bigint>(json as Detect<bigint>).readValue(7n)).rejects.toThrow('without a JSON form');
    await expect(new Comparison<unknown>(json).readValue(undefined)).rejects.toThrow('(undefined)');
  });

  test('what it throws is a failure without addresses', () => {
    const changed = () => {
      throw new Error('no http://user:pass@host/?key=7 today');
    };
    const comparison = new Comparison<number>({ by: 'function', changed });
    const reading = { value: 1, print: undefined };
    expect(() => comparison.isSame(reading, reading)).toThrow('`detect` threw an error: no [address] today');
  });
});
