// One vocabulary of failures in Rust, JavaScript and the documentation, and what an error says of itself.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createClient, SseError } from '../../js/index.js';
import type { ClientOptions } from '../../js/model/options.js';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const all = (source: string, pattern: RegExp) =>
  [...source.matchAll(pattern)].map((match) => match[1] as string).sort();

/** Failures that only JavaScript knows: the core sees the user of a token from another place, no wasm, and no iterators. */
const own = ['user', 'wasm', 'overflow'];

const codes = all(/export type SseErrorCode =([^;]*);/.exec(text('js/model/errors.ts'))?.[1] ?? '', /'(\w+)'/g);

test('the codes of the core, of the type and of its table are the same', () => {
  const rust = all(text('src/proto/error.rs'), /Self::\w+ => "(\w+)"/g);
  expect(rust.length).toBeGreaterThan(5);
  expect(codes).toEqual([...new Set([...rust, ...own])].sort());
  expect(all(text('js/model/errors.ts'), /^ \* \| `(\w+)` \|/gm)).toEqual(codes);
});

test('docs/errors.md explains each code: meaning, cause or statuses, whether it is retried, remedy, and a line of the console', () => {
  const [, ...sections] = text('docs/errors.md').split(/^## /m);
  expect(sections.map((section) => section.split('\n', 1)[0]).sort()).toEqual(codes);
  for (const section of sections) {
    const code = section.split('\n', 1)[0];
    expect(section, code).toMatch(/retried/i);
    expect(section, code).toContain('**Remedy**');
    expect(section, code).toMatch(/```text\n(tinysse: |SseError: )/);
    if (code !== 'overflow') expect(section, code).toContain(`tinysse/docs/errors.md#${code}`);
  }
});

test('an error serialises with its name and message, and without its cause', () => {
  const cause = Object.assign(new Error('refused'), { request: { headers: { authorization: 'Bearer s3cret' } } });
  const error = new SseError('http', 'the stream was refused', { status: 503, retryable: true, cause });
  expect(JSON.parse(JSON.stringify({ error }))).toEqual({
    error: { name: 'SseError', code: 'http', message: 'the stream was refused', status: 503, retryable: true },
  });
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['no url', {}],
  ['an empty url', { url: '' }],
])('createClient with %s says at once what is missing', (_, options) => {
  const make = () => createClient(options as unknown as ClientOptions);
  expect(make).toThrow(SseError);
  expect(make).toThrow("option `url`: needed, as in createClient({ url: '/events' })");
});
