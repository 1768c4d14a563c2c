// The bytes that everybody gets: the same, in the same chunks. The page makes them, and its server too.

const KiB = 1024;

/** Event sizes, and the bytes of a run: enough for a clock, and not more than the slowest can chew. */
const sizes = [
  { name: '60 B', size: 60, big: 3 * KiB * KiB, tiny: 512 * KiB },
  { name: '1 KB', size: KiB, big: 8 * KiB * KiB, tiny: KiB * KiB },
  { name: '64 KB', size: 64 * KiB, big: 16 * KiB * KiB, tiny: KiB * KiB },
];

export const workloads = () =>
  sizes.flatMap(({ name, size, big, tiny }) => [
    workload(`${name}, 16 KiB chunks`, size, big, false),
    workload(`${name}, 1-64 B chunks`, size, tiny, true),
  ]);

function workload(name, size, total, tiny) {
  const events = Math.round(total / size);
  const hello = 'id: a1.0\nevent: tinysse.hello\ndata: client=c1&after=a1.0&head=a1.0&beat=600000&gap=none\n\n';
  const parts = [hello];
  for (let n = 1; n <= events; n++) parts.push(event(n, size));
  parts.push(`id: a1.${events + 1}\nevent: end\ndata: {}\n\n`);
  const bytes = new TextEncoder().encode(parts.join(''));
  return { name, tiny, events, bytes, chunks: cut(bytes, tiny) };
}

/** An update of tinysse/1, of exactly that size. */
function event(n, size) {
  const head = `id: a1.${n}\nevent: projects\ndata: {"data":"`;
  const tail = '"}\n\n';
  return head + 'abcdefghijklmnopqrstuvwxyz '.repeat(size / 27 + 1).slice(0, size - head.length - tail.length) + tail;
}

function cut(bytes, tiny) {
  const chunks = [];
  let seed = 7;
  for (let at = 0; at < bytes.length; ) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const length = tiny ? 1 + ((seed >>> 16) & 63) : 16 * KiB;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}
