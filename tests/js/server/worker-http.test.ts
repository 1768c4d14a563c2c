// A worker that polls a real server over HTTP, which changes, fails, is slow, and sends too much.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HubError } from '../../../js/server/errors.js';
import { BackgroundWorker, type PollUrl } from '../../../js/server/worker/index.js';
import { ServiceDouble } from './support/service-double.js';
import { WorkerClock } from './support/worker-clock.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A polled server: it answers what the test sets, and remembers what it was asked. */
class Api {
  readonly requests: IncomingMessage[] = [];
  handler: Handler = (_, response) => response.end('1');
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      this.handler(request, response);
    });
  }

  static async start(): Promise<Api> {
    const api = new Api();
    await new Promise<void>((done) => api.#server.listen(0, '127.0.0.1', done));
    return api;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What is answered from now on. */
  answers(status: number, body: string | Uint8Array = '', headers: Record<string, string> = {}): void {
    this.handler = (_, response) => response.writeHead(status, headers).end(body);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

let api: Api;
let clock: WorkerClock;
let service: ServiceDouble;
let worker: BackgroundWorker<Record<string, unknown>>;
let errors: HubError[];

beforeEach(async () => {
  api = await Api.start();
  clock = new WorkerClock();
  service = new ServiceDouble('a');
  errors = [];
  worker = new BackgroundWorker(service, { onError: (error) => void errors.push(error), onRecover: () => {} }, clock);
});
afterEach(async () => {
  worker.stop();
  await api.stop();
});

const url = () => `http://127.0.0.1:${api.port}/state?key=hush`;

/** Polls; where no stream is open, by `refresh` alone. */
function poll(options: Partial<PollUrl> & { detect?: 'hash'; pointer?: string; timeout?: number } = {}) {
  return worker.poll({ type: 'a', url: url(), ...options });
}

/** Lets the next poll happen, at its time, and waits until the one behind it is planned. */
async function next(): Promise<void> {
  const [at = 0] = clock.deadlines;
  await clock.run(at - clock.time);
  await clock.until(at + 2_000);
}

/** The reason of the failure that was reported, without what happens now. */
function reason(): string | undefined {
  return errors[0]?.message.replace(/^polling a failed: /, '').replace(/;.*/, '');
}

test('changes are notified, and repetitions are not', async () => {
  poll();
  for (const body of ['{"a":1,"b":[2]}', ' {"b":[2.0], "a":1}\n', '{"a":1,"b":[3]}', '{"a":1,"b":[3]}', '{"b":[3]}']) {
    api.answers(200, body);
    if (api.requests.length === 0) await clock.until(2_000);
    else await next();
  }
  expect([service.published.length, api.requests.length, errors]).toEqual([3, 5, []]);
  expect(worker.value('a')).toEqual({ data: { b: [3] }, age: 0, stale: false });
});

test('only the place that a pointer names counts', async () => {
  poll({ pointer: '/b/0' });
  for (const body of ['{"a":1,"b":[2]}', '{"a":2,"b":[2]}', '{"a":2,"b":[3]}']) {
    api.answers(200, body);
    await worker.refresh('a');
  }
  expect(service.published).toHaveLength(2);
});

test('by hash the body need not be JSON', async () => {
  poll({ detect: 'hash' });
  for (const body of ['on', 'on', 'off', '{"a":1}', '{ "a":1}']) {
    api.answers(200, body, { 'content-type': 'text/plain' });
    await worker.refresh('a');
  }
  expect([service.published.length, worker.value('a')?.data]).toEqual([4, { a: 1 }]);
});

describe('conditional requests', () => {
  test('refer to the last value, and 304 means that it is the current one', async () => {
    const modified = 'Sun, 06 Nov 1994 08:49:37 GMT';
    api.handler = (request, response) => {
      const isKnown = request.headers['if-none-match'] === '"1"';
      response.writeHead(isKnown ? 304 : 200, { etag: '"1"', 'last-modified': modified });
      response.end(isKnown ? undefined : '7');
    };
    poll();
    await clock.until(2_000);
    await next();
    await next();
    const sent = api.requests.map(({ headers }) => [headers['if-none-match'], headers['if-modified-since']]);
    expect(sent).toEqual([
      [undefined, undefined],
      ['"1"', modified],
      ['"1"', modified],
    ]);
    expect(worker.value('a')).toEqual({ data: 7, age: 0, stale: false });
    expect([service.published.length, errors]).toEqual([1, []]);
  });

  test('are not made with validators that are too long or gone', async () => {
    service.see('a', false);
    poll();
    for (const etag of [`"${'x'.repeat(1_023)}"`, '"1"']) {
      api.answers(200, '1', { etag });
      await worker.refresh('a');
    }
    api.answers(200, '1');
    await worker.refresh('a');
    await worker.refresh('a');
    expect(api.requests.map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
      undefined,
      '"1"',
      undefined,
    ]);
  });

  test('are not made by POST, which sends its body', async () => {
    const bodies: string[] = [];
    api.handler = (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(`${request.method} ${request.headers['content-type']} ${body}`);
        response.writeHead(200, { etag: '"1"' }).end('1');
      });
    };
    service.see('a', false);
    poll({ method: 'POST', body: '{"query":"{ jobs }"}' });
    await worker.refresh('a');
    await worker.refresh('a');
    expect(bodies).toEqual(Array.from({ length: 2 }, () => 'POST application/json {"query":"{ jobs }"}'));
    expect(api.requests[1]?.headers['if-none-match']).toBeUndefined();
  });

  test('a 304 to a request without a condition is a failure', async () => {
    api.answers(304);
    poll();
    await worker.refresh('a');
    expect(reason()).toBe('status 304 to a request without a condition');
  });
});

test('headers, and the name and password of the address, are sent and appear nowhere', async () => {
  api.answers(500, 'hush');
  worker.poll({ type: 'a', url: `http://ada:hush@127.0.0.1:${api.port}/hush?key=hush`, headers: { 'X-Key': 'hush' } });
  const value = await worker.refresh('a');
  expect(api.requests[0]?.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('ada:hush').toString('base64')}`,
    'x-key': 'hush',
  });
  expect([value, reason()]).toEqual([undefined, 'status 500']);
  expect(JSON.stringify([errors[0], errors[0]?.message, errors[0]?.stack, errors[0]?.cause])).not.toContain('hush');
});

describe('failures', () => {
  test.each<[string, number, string | Uint8Array, Record<string, string>]>([
    ['status 500', 500, '1', {}],
    ['status 404', 404, '1', {}],
    ['the answer is no JSON but looks like HTML or XML', 200, '<html>hush', {}],
    ['the answer is no JSON', 200, 'hush', {}],
    ['the answer is empty', 204, '', {}],
    ['a content coding that is not known', 200, '1', { 'content-encoding': 'hush' }],
    ['a redirect (status 302); redirects are not followed', 302, '', { location: '/hush' }],
    ['a redirect (status 307); redirects are not followed', 307, '', { location: 'http://127.0.0.1:9/' }],
  ])('%s', async (expected, status, body, headers) => {
    api.answers(200, '1');
    service.see('a', false);
    poll();
    await worker.refresh('a');
    api.answers(status, body, headers);
    const value = await worker.refresh('a');
    // The reason itself may have a semicolon.
    expect(errors[0]?.message).toContain(`polling a failed: ${expected}; the last value, 0.0 s old, is served; `);
    expect(errors[0]?.message).not.toContain('hush');
    expect([value?.data, value?.error?.code, api.requests.length]).toEqual([1, 'poll_failed', 2]);
    expect(value?.error?.status).toBe(status === 200 || status === 204 ? undefined : status);
    api.answers(200, '2');
    expect((await worker.refresh('a'))?.data).toBe(2);
  });

  test('a connection that is refused, and one that breaks', async () => {
    api.handler = (request) => request.socket.destroy();
    poll();
    await worker.refresh('a');
    expect(reason()).toMatch(/^the connection failed \((ECONNRESET|UND_ERR_SOCKET)\)$/);
    errors.length = 0;
    api.handler = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('[1,', () => response.destroy());
    };
    service.see('b', true);
    worker.poll({ type: 'b', url: url() });
    await worker.refresh('b');
    expect(errors[0]?.message).toMatch(/^polling b failed: the connection failed \([A-Z_]+\); /);
    const closed = url();
    await api.stop();
    errors.length = 0;
    worker.poll({ type: 'c', url: closed });
    await worker.refresh('c');
    expect(errors[0]?.message).toContain('polling c failed: the connection failed (ECONNREFUSED); ');
    api = await Api.start();
  });

  test('no answer in time: the request is aborted', async () => {
    let arrived = () => {};
    const request = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const aborted = new Promise<void>((resolve) => {
      api.handler = (_, response) => {
        response.on('close', resolve);
        arrived();
      };
    });
    poll();
    await request;
    await clock.run(5_000);
    expect(reason()).toBe('no answer in time');
    await aborted;
    await clock.until(7_000);
    expect(api.requests).toHaveLength(1);
  });

  test('no end of the body in time', async () => {
    const begun = new Promise<void>((resolve) => {
      api.handler = (_, response) => void response.write('[', () => resolve());
    });
    poll({ timeout: 1_000 });
    await begun;
    await clock.run(1_000);
    expect(reason()).toBe('no answer in time');
  });

  test('a body that never ends is cut off at `maxBytes`', async () => {
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      api.handler = (_, response) => {
        response.on('close', resolve);
        const chunk = Buffer.alloc(64 << 10, 0x20);
        const more = () => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
          sent += chunk.length;
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      };
    });
    poll();
    await worker.refresh('a');
    expect(reason()).toBe('the answer is longer than 1048576 bytes');
    await closed;
    expect(sent).toBeLessThan(64 << 20);
  });

  test('a body without a length that is one byte longer', async () => {
    api.handler = (_, response) => {
      response.write('"');
      response.end(`${'x'.repeat(99)}"`);
    };
    poll({ maxBytes: 100 });
    await worker.refresh('a');
    expect(reason()).toBe('the answer is longer than 100 bytes');
  });

  test('a length that is announced is believed', async () => {
    api.handler = (_, response) => {
      response.writeHead(200, { 'content-length': '101' });
      response.write('[');
    };
    poll({ maxBytes: 100 });
    await worker.refresh('a');
    expect(reason()).toBe('the answer is longer than 100 bytes');
  });

  test('a small body that becomes a large one', async () => {
    api.answers(200, gzipSync(Buffer.alloc(8 << 20, 0x20)), { 'content-encoding': 'gzip' });
    poll();
    await worker.refresh('a');
    expect(reason()).toBe('the answer is longer than 1048576 bytes');
  });
});

test('a body of exactly `maxBytes`, and compressed ones, are read', async () => {
  poll({ maxBytes: 100 });
  api.answers(200, `"${'x'.repeat(98)}"`);
  expect((await worker.refresh('a'))?.data).toBe('x'.repeat(98));
  for (const [coding, encode] of [['gzip', gzipSync] as const, ['deflate', deflateRawSync] as const]) {
    api.answers(200, encode(`["${coding}"]`), { 'content-encoding': coding });
    expect((await worker.refresh('a'))?.data).toEqual([coding]);
  }
  expect(errors).toEqual([]);
});

describe('Retry-After', () => {
  const hour = 3_600_000;

  /** When the poll is planned that follows one answered so. */
  async function planned(status: number, after: string): Promise<number> {
    api.answers(status, '', { 'retry-after': after });
    poll();
    await worker.refresh('a');
    await clock.quiet();
    return clock.deadlines[0] ?? Number.NaN;
  }

  test('in seconds', async () => {
    expect(await planned(429, '120')).toBe(120_000);
    await clock.run(119_999);
    const before = api.requests.length;
    api.answers(200, '1');
    await clock.run(1);
    await clock.until(122_000);
    expect([api.requests.length - before, worker.value('a')?.data]).toEqual([1, 1]);
    expect(errors[0]?.retryAfter).toBe(120);
  });

  test('as a date', async () => {
    const at = await planned(503, new Date(Date.now() + 600_000).toUTCString());
    expect(at).toBeGreaterThan(590_000);
    expect(at).toBeLessThanOrEqual(600_000);
  });

  test('an hour at most, and never sooner than planned', async () => {
    expect(await planned(503, '999999')).toBe(hour);
    worker.stop();
    clock = new WorkerClock();
    worker = new BackgroundWorker(service, { onError: () => {} }, clock);
    expect(await planned(503, '0')).toBe(2_000);
  });
});

test('the end aborts a request under way', async () => {
  const closed = new Promise<void>((resolve) => {
    api.handler = (_, response) => {
      response.on('close', resolve);
      void service.close();
    };
  });
  poll();
  await closed;
  await clock.quiet();
  expect([errors, clock.deadlines]).toEqual([[], []]);
});
