// Plain Node, as a server that renders: importing and creating a client must touch nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const touched = [];
const trap = (name, value) =>
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      touched.push(name);
      return value;
    },
  });
const before = {};
for (const name of ['WebAssembly', 'fetch', 'setTimeout', 'setInterval', 'EventSource', 'document', 'window']) {
  before[name] = Object.getOwnPropertyDescriptor(globalThis, name);
  trap(name, globalThis[name]);
}
touched.length = 0;

const { createClient } = await import('tinysse');
const { EventSource } = await import('tinysse/eventsource');
await import('tinysse/trpc');
assert.deepEqual(touched, [], 'importing tinysse touches nothing');

const client = createClient({ url: 'http://127.0.0.1:9/events', token: () => 'token' });
assert.equal(client.getSnapshot().status, 'idle');
assert.equal(client.getSnapshot(), client.getSnapshot(), 'the snapshot keeps its identity');
client.subscribe('projects', () => {})();
assert.deepEqual(
  touched.filter((name) => name === 'WebAssembly' || name === 'fetch' || name === 'EventSource'),
  [],
  'a client that nobody opened loads nothing',
);
client.close();

for (const [name, descriptor] of Object.entries(before)) {
  delete globalThis[name];
  if (descriptor) Object.defineProperty(globalThis, name, descriptor);
}

// Past the exports map, by path: the wasm that the client would load is the file that is published, and it starts here too.
const inside = new URL('./node_modules/tinysse/wasm/', import.meta.url);
const inlined = await import(new URL('inline.js', inside));
const { initSync, SseClient } = await import(new URL('glue.js', inside));
const bytes = Buffer.from(inlined.bytes());
assert.ok(bytes.equals(readFileSync(fileURLToPath(import.meta.resolve('tinysse/tinysse.wasm')))), 'inline is the file');
initSync({ module: bytes });
const inner = new SseClient({ url: 'http://127.0.0.1:9/events' });
assert.equal(inner.snapshot().status, 'idle');
inner.free();

const source = EventSource.fromReadableStream(new Blob(['data: 7\n\n']).stream());
const { data } = await new Promise((done) => source.addEventListener('message', done));
assert.equal(data, '7', 'the class has its wasm with it');
console.log('node: ok');
