// One vocabulary of failures in Rust, JavaScript and the documents, and what an error contains.
import { expect, test } from 'vitest';
import { createClient, SseError } from '../../js/index.js';
import type { ClientOptions } from '../../js/model/options.js';
import { CORE_ERROR_CODES, ERROR_CODES } from '../../js/model/vocabulary.js';
import { files, text } from './support/files.js';

const all = (source: string, pattern: RegExp) =>
  [...source.matchAll(pattern)].map((match) => match[1] as string).sort();

const codes = [...ERROR_CODES].sort();

test('the codes of the core, of the type and of its table are the same', () => {
  const rust = all(text('src/proto/error.rs'), /^ +\w+ = "(\w+)",$/gm);
  expect(rust.length).toBeGreaterThan(5);
  expect(rust).toEqual([...CORE_ERROR_CODES].sort());
  expect(all(text('js/model/errors.ts'), /^ \* \| `(\w+)` \|/gm)).toEqual(codes);
});

/** The halves of docs/errors.md, by their headings. */
const document: { [heading: string]: string | undefined } = Object.fromEntries(
  text('docs/errors.md')
    .split(/^## /m)
    .map((half) => [half.split('\n', 1)[0], half]),
);

test('docs/errors.md explains each code of the client: cause, whether it is retried, remedy, and a line of the console', () => {
  const [, ...sections] = (document.Client ?? '').split(/^### /m);
  expect(sections.map((section) => section.split('\n', 1)[0]).sort()).toEqual(codes);
  for (const section of sections) {
    const code = section.split('\n', 1)[0];
    expect(section, code).toMatch(/\*\*Causes\*\*|^\| status \|/m);
    expect(section, code).toMatch(/\*\*Retried\*\*|\| retried \|/);
    expect(section, code).toContain('**Remedy**');
    expect(section, code).toMatch(/```text\n(tinysse: |SseError: )/);
    if (code !== 'overflow') expect(section, code).toContain(`tinysse/docs/errors.md#${code}`);
  }
});

/** The statuses of the constructors of `Problem`. */
const statuses: { [name: string]: number } = {
  bad_request: 400,
  unauthorized: 401,
  unprocessable: 422,
  unavailable: 503,
};
const named: { [name: string]: number } = {
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  INSUFFICIENT_STORAGE: 507,
};

test('docs/errors.md lists each code of the server with its status, and no other', () => {
  const raised = new Set<string>();
  for (const path of files('.rs').filter((path) => !/(^|\/)(tests|fuzz)\//.test(path))) {
    for (const [, made, status, code] of text(path).matchAll(
      /(?:Problem|Self)::(\w+)\(\s*(?:StatusCode::(\w+),\s*)?"([a-z]+(?:_[a-z]+)*)",/g,
    )) {
      const known = status ? named[status] : statuses[made as string];
      if (made === 'new' || known) raised.add(`${code} ${known}`);
    }
  }
  // What the pure hub refuses becomes a problem in `hub/src/error.rs`.
  const input = text('hub/src/hub/input.rs');
  for (const [, made, arm] of input.matchAll(/BadInput::new\("(\w+)"|=> "(\w+)"/g)) {
    const code = made ?? arm;
    raised.add(`${code} ${code === 'update_too_large' ? 413 : 400}`);
  }
  expect(raised.size).toBeGreaterThan(35);
  const rows = [...(document.Server ?? '').matchAll(/^\| `(\w+)` \| (\d{3}) \| [^|]+ \| [^|]+ \|$/gm)];
  expect([...new Set(rows.map(([, code, status]) => `${code} ${status}`))].sort()).toEqual([...raised].sort());
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
