// Streams in every legal shape, and in the illegal ones whose meaning the standard fixes (WHATWG HTML §9.2.5 and §9.2.6).
// What they mean is not written down here: the browser's own EventSource defines it, in the same run, for the same bytes.
//
// bytes   a string is UTF-8; a list is written piece by piece, so that each is a chunk of its own
// types   named events to listen to
// bare    nothing goes before it, not even the reconnection time that makes the others quick
// drip    one byte after the other

const bytes = (...codes) => Buffer.from(codes);
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const MiB = 2 ** 20;

const vector = (name, data, more = {}) => ({ name, chunks: Array.isArray(data) ? data : [data], ...more });
const bom = '\ufeff';

/** Line ends of every kind, whatever the chunks make of them. */
const lineEnds = [
  vector('LF', 'id: 1\ndata: a\ndata: b\n\n'),
  vector('CR', 'id: 1\rdata: a\rdata: b\r\r'),
  vector('CRLF', 'id: 1\r\ndata: a\r\ndata: b\r\n\r\n'),
  vector('mixed', 'data: a\r\ndata: b\ndata: c\r\rdata: d\n\r\ndata: e\r\n\r'),
  vector('LF then CR is two ends', 'data: a\n\rdata: b\n\r\n'),
  vector('CRLF in two chunks', ['data: a\r', '\ndata: b\r\n\r', '\ndata: c\n\n']),
  vector('CR at the end of a chunk, LF a line of its own', ['data: a\r\r', '\ndata: b\n\n', 'data: c\r', '\r\n\n']),
  vector('a chunk that is only LF, after CR', ['data: a\r', '\n', '\n', 'data: b\r', '\n\r', '\n']),
  vector('the last CR dispatches at once', ['data: a\r\r']),
  vector('no line ends: NEL, LS, PS, VT, FF', 'data: a\u0085b\u2028c\u2029d\u000be\u000cf\n\n'),
  vector('empty lines in number', '\n\n\r\r\r\n\r\ndata: a\n\n\n\n\ndata: b\n\n'),
];

const marks = [
  vector('byte order mark', `${bom}data: a\n\n`, { bare: true }),
  vector('two of them', `${bom}${bom}data: a\n\ndata: b\n\n`, { bare: true }),
  vector('one in three chunks', [bytes(0xef), bytes(0xbb), join(bytes(0xbf), 'data: a\n\n')], { bare: true }),
  vector('half of one', join(bytes(0xef, 0xbb), 'data: a\n\ndata: b\n\n'), { bare: true }),
  vector('one on the second line', `\n${bom}data: a\n\ndata: b\n\n`, { bare: true }),
  vector('one in a value', `data: ${bom}a\n\ndata:${bom}\n\n`, { bare: true }),
  vector('one alone, then an event', [bom, 'data: a\n\n'], { bare: true }),
];

const fields = [
  vector('no space after the colon', 'data:a\n\ndata: b\n\ndata:  c\n\ndata:\td\n\n'),
  vector('no colon at all', 'data\n\n'),
  vector('empty data', 'data:\n\ndata: \n\n'),
  vector('two empty lines of data', 'data\ndata\n\ndata:\ndata:\ndata:\n\n'),
  vector('colons in the value', 'data: a: b :c\n\ndata::\n\n'),
  vector('spaces are kept, but for the first', 'data:   a  \n\n'),
  vector('names are exact', 'Data: a\nDATA: b\n data: c\ndata : d\ndatax: e\nxdata: f\n\ndata: g\n\n'),
  vector('names nobody knows', 'foo: a\n__proto__: b\nconstructor: c\ntoString\n\ndata: d\n\n'),
  vector('comments', ': a\n:\n::\n:data: b\n\ndata: c\n: d\ndata: e\n\n:\n\n'),
  vector('a block without data is no event', 'event: x\n\ndata: a\n\n', { types: ['message', 'x'] }),
  vector('named', 'event: x\ndata: a\n\ndata: b\n\nevent: y\ndata: c\n\n', { types: ['message', 'x', 'y'] }),
  vector('the last name counts', 'event: x\nevent: y\ndata: a\n\n', { types: ['message', 'x', 'y'] }),
  vector('an empty name is no name', 'event: x\nevent\ndata: a\n\nevent:\ndata: b\n\n', { types: ['message', 'x'] }),
  vector('a name after its data', 'data: a\nevent: x\n\n', { types: ['message', 'x'] }),
  vector('names with spaces and signs', 'event:  a b.c-d \ndata: a\n\n', { types: ['message', ' a b.c-d '] }),
  vector('names of the language', 'event: __proto__\ndata: a\n\nevent: constructor\ndata: b\n\n', {
    types: ['message', '__proto__', 'constructor'],
  }),
  vector('JSON', 'data: {"a": [1, 2]}\n\ndata: {\ndata: "b": null}\n\ndata: "c"\n\ndata: 4\n\n'),
];

const ids = [
  vector('inherited', 'id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n'),
  vector('set without an event', 'data: a\n\nid: 7\n\n'),
  vector('emptied', 'id: 1\ndata: a\n\nid\ndata: b\n\n'),
  vector('emptied without an event', 'id: 1\ndata: a\n\nid:\n\n'),
  vector('the last one counts', 'id: 1\nid: 2\ndata: a\nid: 3\n\n'),
  vector('with NUL it is ignored', 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: \0\ndata: c\n\n'),
  vector('in characters of more than one byte', 'id: é€😀\ndata: a\n\n'),
  vector('with spaces inside', 'id: 1 2\ndata: a\n\n'),
  vector('of an event that is not finished', 'id: 1\ndata: a\n\nid: 2\ndata: b\n'),
  vector('of a block that is not finished', 'id: 1\ndata: a\n\nid: 2\n'),
];

const retries = [
  vector('no number', 'retry: 300x\nretry: 3.5\nretry: -1\nretry: +9\nretry:\nretry\nretry:  100\ndata: a\n\n'),
  vector('before and after', 'retry: 250\ndata: a\nretry: 300\n\n'),
];

const characters = [
  vector('more than one byte', 'data: aé€😀\n\n'),
  vector('cut in the middle', [join('data: ', bytes(0xf0, 0x9f)), join(bytes(0x98), ''), join(bytes(0x80), '\n\n')]),
  vector('NUL in data and in a name', 'data: a\0b\n\nda\0ta: c\n\nevent: x\0\ndata: d\n\n', {
    types: ['message', 'x\0'],
  }),
  vector('a byte that is none', join('data: a', bytes(0xff), 'b\n\n')),
  vector('a character without its end', join('data: ', bytes(0xe2, 0x82), '\n\ndata: b\n\n')),
  vector('a surrogate, and a long form', join('data: ', bytes(0xed, 0xa0, 0x80, 0xc0, 0x80), '\n\n')),
  vector('beyond the last one', join('data: ', bytes(0xf4, 0x90, 0x80, 0x80, 0xf5), '\n\n')),
  vector('a wrong byte in a field name', join('da', bytes(0xff), 'ta: a\n\ndata: b\n\n')),
  vector('a wrong byte in id and event', join('id: ', bytes(0x80), '\nevent: ', bytes(0xc3), '\ndata: a\n\n'), {
    types: ['message', '\ufffd'],
  }),
];

const ends = [
  vector('nothing', '', { bare: true }),
  vector('an event without its empty line', 'data: a\n\ndata: b\n'),
  vector('a line without its end', 'data: a\n\ndata: b'),
];

const everything = `: c\r\nid: é1\revent: x\ndata: a\r\ndata:b\r\n\r\ndata: 😀\r\rid: 2\n\n`;

const sizes = [
  vector('one byte at a time', everything, { drip: true, types: ['message', 'x'] }),
  vector('10 MiB on one line', join('data: ', Buffer.alloc(10 * MiB, 'a'), '\n\ndata: b\n\n')),
  vector('1 MiB on many lines', join('data: é\n'.repeat(MiB / 9), '\n')),
  vector('many events in one chunk', Array.from({ length: 2000 }, (_, n) => `id: ${n}\ndata: ${n}\n\n`).join('')),
];

// First what takes the browser's own three seconds to come back.
export const groups = { marks, lineEnds, fields, ids, retries, characters, ends, sizes };

/** Larger than the limit of 16 MiB that the client has by default. */
export const tooLarge = vector('17 MiB', join('id: 1\ndata: a\n\ndata: ', Buffer.alloc(17 * MiB, 'a'), '\n\n'));

/** For who allows it. */
export const huge = vector('64 MiB on one line', join('id: 1\ndata: ', Buffer.alloc(64 * MiB, 'a'), '\n\ndata: b\n\n'));
