// Tests of the proxy that the other tests disturb connections with.
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { Relay } from './proxy';

// The proxy itself, without a browser: a tool that breaks connections has to break them as
// documented.

let server: Server;
let proxy: Relay;

test.beforeEach(async () => {
  server = createServer((req, res) => {
    res.write(`${req.headers['last-event-id'] ?? 'none'}\n`);
    // A stream: it ends only when a side ends it.
    const timer = setInterval(() => res.write('0123456789'), 5);
    res.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await Relay.to(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

test.afterEach(async () => {
  await proxy.end();
  server.closeAllConnections();
  server.close();
});

/** Reads until the connection ends; returns how it ended and what came. */
async function read(headers: Record<string, string> = {}) {
  const sent = request(`${proxy.url}/events?token=t`, { headers, agent: false });
  sent.end();
  const [response] = await once(sent, 'response');
  // Reported by the response already.
  sent.on('error', () => {});
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise<string>((resolve) => {
    response.once('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    response.once('end', () => resolve('end'));
  });
  return { ended, text: () => text };
}

test('it passes requests on and writes down their heads', async () => {
  const stream = await read({ 'Last-Event-ID': '4f.7' });
  await expect.poll(stream.text).toContain('4f.7\n0123456789');
  expect(proxy.requests).toHaveLength(1);
  const [passed] = proxy.requests;
  expect(passed).toMatchObject({ method: 'GET', url: '/events?token=t', path: '/events' });
  expect(passed?.query.get('token')).toBe('t');
  expect(passed?.headers.get('last-event-id')).toBe('4f.7');
  expect(proxy.open).toBe(1);
});

for (const how of ['reset', 'close'] as const) {
  test(`a cut (${how}) is seen by the client, and the next connection works`, async () => {
    const stream = await read();
    expect(proxy.cut(how)).toBe(1);
    expect(await stream.ended).toBe('ECONNRESET');
    expect(proxy.open).toBe(0);
    const next = await read();
    await expect.poll(next.text).toContain('0123456789');
    expect(proxy.counters).toMatchObject({ accepted: 2, cut: 1 });
  });
}

test('a cut after N bytes passes exactly those', async () => {
  const stream = await read();
  await expect.poll(stream.text).toContain('0123456789');
  const before = proxy.counters.bytesDown;
  proxy.cutAfter(333, 'close');
  await stream.ended;
  expect(proxy.counters.bytesDown - before).toBe(333);
});

test('a stalled connection passes nothing and stays open, while new ones work', async () => {
  const stream = await read();
  await expect.poll(stream.text).toContain('0123456789');
  proxy.stall();
  const length = stream.text().length;
  const next = await read();
  await expect.poll(() => next.text().length).toBeGreaterThan(500);
  // What was on its way may still arrive; the stream does not go on.
  expect(stream.text().length).toBeLessThan(length + 100);
  expect(proxy.open).toBe(2);
});

test('who comes while it holds waits, and gets its answer when it admits', async () => {
  proxy.hold();
  const waiting = read({ 'Last-Event-ID': '4f.8' });
  await expect.poll(() => proxy.counters.accepted).toBe(1);
  expect(proxy.requests).toHaveLength(0);
  proxy.admit();
  const stream = await waiting;
  await expect.poll(stream.text).toContain('4f.8\n0123456789');
  expect(proxy.requests).toHaveLength(1);
});

test('refusing, and passing again on the same port', async () => {
  const { url } = proxy;
  await proxy.refuse();
  await expect(read()).rejects.toThrow('ECONNREFUSED');
  await proxy.pass();
  expect(proxy.url).toBe(url);
  const stream = await read();
  await expect.poll(stream.text).toContain('0123456789');
});
