// Cases of the format of streams.
import { type Answer, type Case, equal, ok, until } from '../kit';

const big = 10 * 2 ** 20;

/** Each stream and its events, of the types `message` and those named. */
const streams: [name: string, answer: Answer, said: string[], types?: string[]][] = [
  ['one line', { body: 'data: x\n\n' }, ['message||x']],
  ['lines are joined', { body: 'data: a\ndata\ndata:b\n\n' }, ['message||a\n\nb']],
  [
    'an empty data field is an event, none is not',
    { body: 'data\n\ndata:\n\nevent: a\n\n\n\n' },
    ['message||', 'message||'],
  ],
  ['line ends: CR', { body: 'data: a\rdata: b\r\rdata: c\r\r' }, ['message||a\nb', 'message||c']],
  ['line ends: CRLF', { body: 'data: a\r\ndata: b\r\n\r\n' }, ['message||a\nb']],
  ['line ends: mixed', { body: 'data: a\r\ndata: b\n\rdata: c\r\n\n' }, ['message||a\nb', 'message||c']],
  [
    'line ends: other separators are none',
    { body: 'data: a\u2028b\u0085c\u000bd\n\n' },
    ['message||a\u2028b\u0085c\u000bd'],
  ],
  ['what no empty line ends is no event', { body: 'data: a\n\ndata: b\n' }, ['message||a']],
  ['one space is left out', { body: 'data:  a \ndata:\tb\n\n' }, ['message|| a \n\tb']],
  ['comments', { body: ':\n: data: no\ndata: a\n:data: no\ndata: b\n\n' }, ['message||a\nb']],
  [
    'unknown fields',
    { body: 'justsometext\n:c\ndata: a\nfoo: b\n data: no\nDATA: no\ndata : no\ndat: no\ndataa: no\n\n' },
    ['message||a'],
  ],
  ['a colon in the value', { body: 'data:a:b\ndata::\n\n' }, ['message||a:b\n:']],
  ['a byte order mark at the beginning is left out', { body: '\ufeffdata: a\n\n' }, ['message||a']],
  ['a second one is not', { body: '\ufeff\ufeffdata: no\n\ndata: b\n\n' }, ['message||b']],
  [
    'one inside is a character',
    { body: 'data: a\n\n\ufeffdata: no\n\ndata:\ufeffb\n\n' },
    ['message||a', 'message||\ufeffb'],
  ],
  ['NUL is a character like any other', { body: 'data: a\0b\n\n\0data: no\n\n' }, ['message||a\0b']],
  ['types', { body: 'event: test\ndata: a\n\ndata: b\n\n' }, ['test||a', 'message||b'], ['message', 'test']],
  [
    'the last type counts, an empty one is `message`',
    { body: 'event: no\nevent: test\ndata: a\n\nevent: test\nevent:\ndata: b\n\n' },
    ['test||a', 'message||b'],
    ['message', 'test', 'no'],
  ],
  ['a type without data is forgotten', { body: 'event: test\n\ndata: a\n\n' }, ['message||a'], ['message', 'test']],
  [
    'types with names of objects',
    { body: 'event: __proto__\ndata: a\n\nevent: constructor\ndata: b\n\nevent: toString\ndata: c\n\n' },
    ['__proto__||a', 'constructor||b', 'toString||c'],
    ['__proto__', 'constructor', 'toString'],
  ],
  ['types are text', { body: 'event: h\u00e9 \u20ac\ndata: a\n\n' }, ['h\u00e9 \u20ac||a'], ['h\u00e9 \u20ac']],
  [
    'ids stay until another one',
    { body: 'id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n' },
    ['message|1|a', 'message|1|b', 'message||c'],
  ],
  ['an id without data', { body: 'id: 1\n\ndata: a\n\n' }, ['message|1|a']],
  [
    'an id with NUL is none',
    { body: 'id: 1\nid: 2\0\ndata: a\n\nid: 3\0\ndata: b\n\n' },
    ['message|1|a', 'message|1|b'],
  ],
  ['ids are text', { body: 'id: \u2026\u{1f600}\ndata: a\n\n' }, ['message|\u2026\u{1f600}|a']],
  ['text in UTF-8', { body: 'data: \u00e9\u20ac\u{1f600}\u0301\n\n' }, ['message||\u00e9\u20ac\u{1f600}\u0301']],
  [
    'bad UTF-8 is replaced',
    { raw: true, body: 'data: a\xffb\xc3\xe2\x82\xf0\x9f\x98\n\ndata: \xc0\x80\n\n' },
    ['message||a\ufffdb\ufffd\ufffd\ufffd', 'message||\ufffd\ufffd'],
  ],
  [
    'bad UTF-8 at the edges of fields',
    { raw: true, body: 'event: \xc3\nid: \xa9\ndata: \xe2\x82\ndata: \xac\n\ndata: a\n\n' },
    ['\ufffd|\ufffd|\ufffd\n\ufffd', 'message|\ufffd|a'],
    ['\ufffd', 'message'],
  ],
  [
    'in single bytes',
    { piece: 1, body: '\ufeffid: 1\r\nevent: t\u00e9st\r\ndata: \u{1f600}\r\ndata: b\r\n\r\ndata: c\n\n' },
    ['t\u00e9st|1|\u{1f600}\nb', 'message|1|c'],
    ['message', 't\u00e9st'],
  ],
  [
    'in pieces of three bytes',
    { piece: 3, body: 'id: 1\ndata: \u20ac\u20ac\n\nid: 22\ndata: \u20ac\r\rretry: 5\n' },
    ['message|1|\u20ac\u20ac', 'message|22|\u20ac'],
  ],
  ['no event at all', { body: '' }, []],
];

/** What streams mean: WHATWG HTML §9.2.5 and §9.2.6. */
export const format: Case[] = [
  ...streams.map(
    ([name, answer, said, types]): Case => ({
      name: `format: ${name}`,
      async run(kit) {
        equal(await kit.said(answer, types), said);
      },
    }),
  ),
  {
    name: 'format: an event of 10 MiB',
    async run(kit) {
      const source = kit.open([{ body: 'data: ', fill: big, more: ['\ndata: y\n\n'], end: false }]);
      const { data } = await kit.next(source, 'message');
      equal([data.length, data.endsWith('x\ny')], [big + 2, true]);
    },
  },
  {
    name: 'format: 5,000 events in a row, none lost or out of order',
    async run(kit) {
      const source = kit.open([{ body: 'data: x\nid: 9\n\n', repeat: 5_000 }]);
      let count = 0;
      source.onmessage = ({ data, lastEventId }) => {
        if (data === 'x' && lastEventId === '9') count += 1;
      };
      await kit.next(source, 'error');
      equal(count, 5_000);
    },
  },
  {
    name: 'format: an event of a type that the source has itself changes nothing',
    async run(kit) {
      const source = kit.open([{ body: 'event: error\ndata: a\n\nevent: open\ndata: b\n\ndata: end\n\n', end: false }]);
      const seen: unknown[] = [];
      for (const type of ['open', 'error']) {
        source.addEventListener(type, (event: Event) =>
          seen.push([type, (event as MessageEvent).data, source.readyState]),
        );
      }
      await kit.next(source, 'message');
      equal(seen, [
        ['open', undefined, 1],
        ['error', 'a', 1],
        ['open', 'b', 1],
      ]);
    },
  },
  {
    name: 'tasks: promises settle between two events of one chunk, however many there are',
    async run(kit) {
      const source = kit.open([{ body: 'data: x\n\n', repeat: 300, end: false }]);
      let [told, settled, early] = [0, 0, 0];
      source.onmessage = async () => {
        if (settled < told) early += 1;
        told += 1;
        for (let i = 0; i < 20; i++) await undefined;
        settled += 1;
      };
      await until(() => settled === 300);
      equal([told, early], [300, 0]);
    },
  },
  {
    name: 'tasks: others have their turn between the events of one chunk',
    ours: true, // Chromium's own class dispatches them all in one go
    async run(kit) {
      const source = kit.open([{ body: 'data: x\n\n', repeat: 100, end: false }]);
      let [told, before] = [0, 0];
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (before = told);
      source.onmessage = () => {
        told += 1;
        if (told === 1) port2.postMessage(0);
        const until = performance.now() + 2;
        while (performance.now() < until);
      };
      await until(() => told === 100);
      port1.close();
      ok(before > 0 && before < 100, `another task came after ${before} of 100 events`);
    },
  },
  {
    name: 'tasks: what is closed in an event tells no other one of its chunk, and other sources go on',
    async run(kit) {
      const sources = [0, 1].map(() => kit.open([{ body: 'data: x\n\n', repeat: 100, end: false }]));
      const told = [0, 0];
      for (const [i, source] of sources.entries()) {
        source.onmessage = () => {
          told[i] = (told[i] ?? 0) + 1;
          if (i === 0 && told[0] === 70) source.close();
        };
      }
      await until(() => told[1] === 100 && sources[0]?.readyState === 2);
      equal(told, [70, 100]);
    },
  },
  {
    name: 'tasks: a listener that throws breaks nothing',
    async run(kit) {
      const source = kit.open([{ body: 'data: 1\n\ndata: 2\n\n' }]);
      const caught = (event: Event) => event.preventDefault();
      addEventListener('error', caught);
      const got: string[] = [];
      source.addEventListener('message', () => {
        throw new Error('a listener throws');
      });
      source.onmessage = ({ data }) => got.push(data);
      await kit.next(source, 'error');
      removeEventListener('error', caught);
      equal(got, ['1', '2']);
      ok(source.readyState === 0, 'it reconnects');
    },
  },
];
