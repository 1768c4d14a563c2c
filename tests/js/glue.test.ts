// The minified glue: short names for what is its own, and no other one for what users read.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { idle } from '../../js/client/snapshot.js';
import { createClient } from '../../js/index.js';
import type { Wasm } from '../../js/loader/wasm.js';
import type { Update } from '../../js/model/update.js';

/** What the facade adds to a snapshot of the wasm. */
const ofFacade = ['dropped', 'role'];

describe('a snapshot of the wasm has every property by its public name', () => {
  test.each(['js/wasm', 'js/wasm/fetch'])('%s', async (dir) => {
    const file = (name: string) => new URL(`../../${dir}/${name}`, import.meta.url);
    const glue = (await import(file('glue.js').href)) as Wasm & { initSync(with_: { module: Uint8Array }): void };
    glue.initSync({ module: readFileSync(file('tinysse.wasm')) });
    const client = new glue.SseClient({ url: 'http://localhost/' });
    const names = Object.keys(idle).filter((name) => !ofFacade.includes(name));
    expect(Object.keys(client.snapshot()).sort()).toEqual(names.sort());
    client.close();
    client.free();
  });
});

test('what is counted on a stream is in the snapshot, and an update has every property by its public name', async () => {
  const envelope = { data: 1, key: 'k', origin: 'o', spread: 5, at: 7 };
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'tinysse-wire': '1' });
    const hello = 'id: a1.1\nevent: tinysse.hello\ndata: client=c7&after=a1.1&head=a1.1&beat=15000&gap=first\n\n';
    response.write(`${hello}id: a1.2\nevent: projects\ndata: ${JSON.stringify(envelope)}\n\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    transport: 'fetch',
    token: () => ({ token: 't', user: 'ada' }),
    quiet: true,
  });
  try {
    const update = await new Promise<Update>((done) => {
      client.subscribe('projects', done);
      client.acquire();
    });
    expect(update).toEqual({ type: 'projects', id: 'a1.2', replayed: false, ...envelope });
    const snapshot = client.getSnapshot();
    expect(snapshot).toMatchObject({ status: 'open', clientId: 'c7', lastEventId: 'a1.2', user: 'ada', role: 'alone' });
    expect(snapshot).toMatchObject({ connects: 1, events: 1, duplicates: 0, resyncs: 1, coalesced: 0, dropped: 0 });
    expect(snapshot.bytes).toBeGreaterThan(100);
  } finally {
    client.close();
    server.close();
    server.closeAllConnections();
  }
});

describe('only private properties are shortened', () => {
  const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  /** The properties that a file of `src/web` uses, without comments. */
  const properties = (path: string) => {
    const code = text(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    return new Set([...code.matchAll(/(?<!\.)\??\.(\w+)/g)].map(([, name]) => name as string));
  };

  test.each([
    ['js/wasm', ['bindings', 'equip', 'options']],
    ['js/wasm/fetch', ['bindings', 'equip', 'fetch', 'options']],
  ])('%s', (dir, sources) => {
    const glue = text(`${dir}/glue.js`);
    const used = new Set(sources.flatMap((name) => [...properties(`src/web/${name}.js`)]));
    const [own, others] = [
      [...used].filter((name) => name.startsWith('_')),
      [...used].filter((name) => !name.startsWith('_')),
    ];
    expect(own.length).toBeGreaterThan(20);
    expect(own.filter((name) => new RegExp(`\\.${name}\\b`).test(glue))).toEqual([]);
    expect(others).toContain('split');
    // A constant that is folded away takes its property with it; what is left is there under its
    // own name.
    expect(others.filter((name) => !new RegExp(`\\b${name}\\b`).test(glue))).toEqual([]);
  });
});
