// Loading the real module, and the ways in which that fails.
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';

const file = new URL('../../js/wasm/tinysse.wasm', import.meta.url);
let loadWasm: typeof import('../../js/loader/wasm.js').loadWasm;

beforeEach(async () => {
  vi.resetModules();
  ({ loadWasm } = await import('../../js/loader/wasm.js'));
});

test('the inlined module is compiled once, for all clients', async () => {
  const compile = vi.spyOn(WebAssembly, 'compile');
  const [one, two] = await Promise.all([loadWasm(), loadWasm()]);
  expect(one).toBe(two);
  expect(typeof one.SseClient).toBe('function');
  expect(compile).toHaveBeenCalledOnce();
});

test.each([
  ['its bytes', () => readFileSync(file)],
  ['a module', () => new WebAssembly.Module(readFileSync(file))],
  ['an address', () => `data:application/wasm;base64,${readFileSync(file, 'base64')}`],
])('a separate one is taken as %s', async (_, source) => {
  expect(typeof (await loadWasm(source())).SseClient).toBe('function');
});

test.each(['eventsource', 'fetch'] as const)(
  'texts of all letters and lengths go in and out: %s',
  async (transport) => {
    const { SseClient } = await loadWasm(undefined, transport);
    for (const letter of ['a', 'é', '€', '\u{1f600}']) {
      for (const length of [0, 1, 2, 100, 170, 171, 341, 342, 343, 1024, 5000]) {
        const lastEventId = letter.repeat(length);
        const client = new SseClient({ url: 'http://server/', lastEventId });
        expect(client.snapshot().lastEventId).toBe(lastEventId);
        client.free();
      }
    }
  },
);

describe('a refusal by content security policy is told apart', () => {
  test.each([
    [
      'Chromium',
      "WebAssembly.compile(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because neither 'wasm-eval' nor 'unsafe-eval' is an allowed source of script",
    ],
    ['Firefox', 'call to WebAssembly.compile() blocked by CSP'],
    [
      'WebKit',
      "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script",
    ],
  ])('in the words of %s, and the next load tries again', async (_, words) => {
    vi.spyOn(WebAssembly, 'compile').mockRejectedValueOnce(new WebAssembly.CompileError(words));
    await expect(loadWasm()).rejects.toMatchObject({ name: 'SseError', code: 'csp', retryable: false });
    expect(typeof (await loadWasm()).SseClient).toBe('function');
  });
});

test('anything else is `wasm`, with its cause', async () => {
  await expect(loadWasm(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({
    code: 'wasm',
    cause: expect.any(WebAssembly.CompileError),
  });
  expect(typeof (await loadWasm()).SseClient).toBe('function');
});
