// `src/web/fetch.js` with a page that only remembers its calls.
import { expect, test, vi } from 'vitest';
// @ts-expect-error: JavaScript of the crate, which has no types.
import { open } from '../../src/web/fetch.js';

const ANSWER = 9;
const LOST = 3;
const ticket = 5;

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/**
 * Reads this body; returns the calls of the page in order: bytes as text, or the word. `onPart` is
 * called with each.
 */
async function read(body: Body, onPart: (what: string | number) => void = () => {}) {
  vi.stubGlobal('fetch', async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  const parts: (string | number)[] = [];
  const note = (what: string | number) => {
    parts.push(what);
    onPart(what);
  };
  const ends = new Map<number, () => void>();
  const page = {
    _options: { transport: 'fetch' },
    _ends: ends,
    _cause: undefined as unknown,
    _address: () => 'http://server/events',
    _track: (number: number, _url: string, end: () => void) => ends.set(number, end),
    _notify: (word: number) => note(word),
    _request: (signal: AbortSignal) => fetch('http://server/events', { signal }),
    _reportHead: (word: number) => note(word),
    _isRedirected: async () => false,
    _onBytes: (number: number, bytes: Uint8Array) => {
      expect(number).toBe(ticket);
      note(new TextDecoder().decode(bytes));
    },
  };
  const reading: Promise<void> = open(page, ticket, '', '');
  return { page, parts, reading };
}

const encode = (text: string) => new TextEncoder().encode(text);

/** A body of which all is there. */
const whole = (...pieces: string[]): Body => {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encode(piece));
      controller.close();
    },
  });
};

test('small pieces that are there already go on together, and in order', async () => {
  const pieces = Array.from({ length: 1000 }, (_, n) => `${n},`);
  const { parts, reading } = await read(whole(...pieces));
  await reading;
  expect(parts.slice(1, -1).join('')).toBe(pieces.join(''));
  expect(parts.length).toBe(3);
  expect([parts[0], parts.at(-1)]).toEqual([ANSWER, LOST]);
});

test('no more than 4 KiB go on together, and what is larger goes alone', async () => {
  const sizes = [3000, 1000, 96, 1, 5000, 2, 9000];
  const { parts, reading } = await read(whole(...sizes.map((size) => 'x'.repeat(size))));
  await reading;
  expect(parts.slice(1, -1).map((text) => String(text).length)).toEqual([4096, 1, 5000, 2, 9000]);
});

test('a piece that comes alone waits for no other', async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const { page, parts, reading } = await read(readable);
  for (const piece of ['a', 'b', 'c']) {
    writer.write(encode(piece));
    await vi.waitFor(() => expect(parts.at(-1)).toBe(piece), { interval: 1 });
  }
  page._ends.delete(ticket);
  writer.close();
  await reading;
  expect(parts).toEqual([ANSWER, 'a', 'b', 'c']);
});

test('what came before a failure is reported before it', async () => {
  let failing = () => {};
  const body: Body = new ReadableStream({
    start(controller) {
      controller.enqueue(encode('a'));
      failing = () => controller.error(new TypeError('cut'));
    },
  });
  const { page, parts, reading } = await read(body, (what) => what === 'a' && failing());
  await reading;
  expect(parts).toEqual([ANSWER, 'a', LOST]);
  expect(page._cause).toEqual(new TypeError('cut'));
});

test('a fault of the wasm is taken for no failure of the network, and ends the reading', async () => {
  const fault = new WebAssembly.RuntimeError('unreachable');
  const { parts, reading } = await read(whole('x'.repeat(5000), 'a', 'b'), (what) => {
    if (what !== ANSWER) throw fault;
  });
  await expect(reading).rejects.toBe(fault);
  expect(parts.length).toBe(2);
});
