// The documents: links lead somewhere, the README is short, and numbers and names that a document
// states are those of the code.
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { exists, files, text } from './support/files.js';

/** The anchor that GitHub gives a heading. */
const anchor = (heading: string) =>
  heading
    .replace(/`/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const prose = (markdown: string) => markdown.replace(/^```[\s\S]*?^```/gm, '');
const anchors = (markdown: string) =>
  [...prose(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading as string));

test('every link of a document leads to a file and a heading that exist', () => {
  const broken: string[] = [];
  const links = files('.md').flatMap((path) =>
    [...prose(text(path)).matchAll(/(?:\]\(|src=")([^)"\s]+)/g)].map(([, link]) => [path, link as string] as const),
  );
  for (const [path, link] of links.filter(([, link]) => !link.includes(':'))) {
    const [file = '', hash] = link.split('#');
    // The npm package has `docs/errors.md` beside its README.
    const target = file ? join(path === 'pkg-template/README.md' ? '.' : dirname(path), file) : path;
    if (!exists(target)) broken.push(`${path}: ${link}`);
    else if (hash && !anchors(text(target)).includes(hash)) broken.push(`${path}: ${link}`);
  }
  expect(broken).toEqual([]);
  expect(links.length).toBeGreaterThan(50);
});

test('the README is read in five minutes', () => {
  expect(text('README.md').split('\n').length).toBeLessThanOrEqual(250);
});

const sources = files('.rs')
  .filter((path) => !/(^|\/)(tests|fuzz)\//.test(path))
  .map(text)
  .join('\n');

/** What a document states, and the line of the code that makes it true. */
const facts: [document: string, statement: string, source: RegExp][] = [
  ['docs/PROTOCOL.md', '| patterns in `types` | 64 |', /MAX_TYPES: usize = 64;/],
  ['docs/PROTOCOL.md', '| updates of a request | 1,000 |', /MAX_ITEMS: usize = 1_000;/],
  ['docs/PROTOCOL.md', '| audiences of an update | 100 |', /MAX_AUDIENCES: usize = 100;/],
  ['docs/PROTOCOL.md', '| key, origin, except, idempotency key | 255 bytes |', /MAX_NAME: usize = 255;/],
  ['docs/PROTOCOL.md', '| body of a request | 1 MiB |', /MAX_BODY: usize = 1 << 20;/],
  ['docs/PROTOCOL.md', '| types that a `resync` names | 16 |', /MAX_NAMED: usize = 16;/],
  ['docs/PROTOCOL.md', '| token | 8 KiB |', /MAX_TOKEN: usize = 8 \* 1024;/],
  ['docs/PROTOCOL.md', '| one event, at the client | 16 MiB by default |', /event_limit: 16 << 20,/],
  ['docs/PROTOCOL.md', 'It is 100 to 30,000.', /MAX_SPREAD_MS: u64 = 30_000;[\s\S]*MIN_SPREAD_MS: u64 = 100;/],
  ['docs/PROTOCOL.md', 'It clamps `beat` to 100 to 600,000.', /RangeInclusive<u32> = 100\.\.=600_000;/],
  ['docs/PROTOCOL.md', 'A client clamps `wait` to 600,000', /LONGEST_WAIT: u32 = 600_000;/],
  ['docs/PROTOCOL.md', 'gives up after 8 in a row', /: 8,\n\s+backoff: Policy::default\(\)/],
  ['docs/PROTOCOL.md', 'between 250 ms and min(30 s', /floor: 250, base: 1_000, cap: 30_000/],
  ['docs/log-format.md', 'It begins with the 9 bytes `redb 1A 0A A9 0D 0A`', /b"redb\\x1A\\x0A\\xA9\\x0D\\x0A"/],
  ['docs/log-format.md', '## 1 `log.redb`', /= "log\.redb";/],
  ['docs/log-format.md', '### 1.1 Table `meta`', /TableDefinition<'_, &str, u64> = TableDefinition::new\("meta"\)/],
  ['docs/log-format.md', '### 1.2 Table `log`', /TableDefinition<'_, u64, &\[u8\]> = TableDefinition::new\("log"\)/],
  [
    'docs/log-format.md',
    '### 1.3 Table `receipts`',
    /TableDefinition<'_, &str, \[u64; 4\]> = TableDefinition::new\("receipts"\)/,
  ],
  ['docs/log-format.md', '| `format` | `1`: the version of this section |', /const FORMAT: u64 = 1;/],
  ['docs/log-format.md', '| `starts` |', /= "starts";/],
  ['docs/log-format.md', '| `file` |', /= "file";/],
  ['docs/log-format.md', '| `born` |', /= "born";/],
  [
    'docs/log-format.md',
    'A receipt is valid for 300,000 ms, and the newest 10,000 are kept.',
    /LIFE_MS: u64 = 300_000;/,
  ],
  ['docs/log-format.md', 'and the newest 10,000 are kept', /BOUND: usize = 10_000;/],
  ['docs/log-format.md', 'when it has 1,000 more', /SURPLUS_RECEIPTS: u64 = 1_000;/],
  ['docs/log-format.md', '## 2 `log.seen`', /= "log\.seen";/],
  ['docs/log-format.md', 'written as `log.redb.new`', /= "log\.redb\.new";/],
  ['docs/log-format.md', 'written as `log.seen.new`', /with_file_name\("log\.seen\.new"\)/],
  ['docs/log-format.md', '| 0 | 16 | `tinysse owed 1`, LF, NUL |', /b"tinysse owed 1\\n\\0";/],
  ['docs/log-format.md', 'The file always has 65,536 bytes', /SIZE: usize = 64 \* 1_024;/],
  ['docs/log-format.md', 'The content, at most 61,440 bytes', /BYTES: usize = 60 \* 1_024;/],
  ['docs/log-format.md', 'A file above 1 GiB is refused.', /MAX_BYTES: u64 = 1 << 30;/],
  ['docs/log-format.md', 'when the file has grown to 1 MiB', /TIDY: u64 = 1 << 20;/],
  ['docs/log-format.md', 'The new file is written as `FILE.tinysse-new`', /name\.push\("\.tinysse-new"\)/],
  ['docs/log-format.md', 'the newest 1,000 |', /CHANGES: u32 = 1_000;/],
];

/** A statement may be wrapped. */
const flat = (markdown: string) => markdown.replace(/\s+/g, ' ');

test.each(facts)('%s: %s', (document, statement, source) => {
  expect(flat(text(document))).toContain(flat(statement));
  expect(sources).toMatch(source);
});

test('docs/log-format.md names every member that is stored', () => {
  const members = (name: string) => {
    const body = [...sources.matchAll(new RegExp(`Deserialize\\)\\]\n(?:pub )?struct ${name} \\{([^}]*)\\}`, 'g'))]
      .map(([, fields]) => fields)
      .join('\n');
    const renamed = [...body.matchAll(/rename = "(\w+)"/g)].map(([, member]) => member as string);
    const plain = [...body.matchAll(/^\s+(?:pub )?(\w+): /gm)].map(([, member]) => member as string);
    return [...plain.filter((member) => member !== 'kind'), ...renamed];
  };
  const stored = ['Stored', 'Seen', 'StoredTopic', 'Moment'].flatMap(members);
  expect(stored.length).toBeGreaterThan(8);
  for (const member of stored) expect(text('docs/log-format.md'), member).toMatch(new RegExp(`["\`]${member}["\`]`));
});
