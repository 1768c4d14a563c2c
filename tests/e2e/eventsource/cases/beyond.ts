// Cases of what the class has beyond the standard.
import { type Case, equal, ok, pause, thrown, until } from '../kit';

const stays = (body: string) => ({ body, end: false as const });
const bytes = (text: string) => new TextEncoder().encode(text);

function streamOf(...chunks: (string | Error)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) {
        if (chunk instanceof Error) return controller.error(chunk);
        controller.enqueue(bytes(chunk));
      }
      controller.close();
    },
  });
}

/**
 * Where the class of tinysse reports more than the standard, or does what Chromium's own does not.
 */
export const beyond: Case[] = [
  ...(
    [
      [{ status: 404 }, 404, 'http'],
      [{ status: 401 }, 401, 'unauthorized'],
      [{ headers: { 'content-type': 'text/html' } }, 200, 'http'],
    ] as const
  ).map(
    ([answer, status, code]): Case => ({
      name: `error: ${status} ${code} is told`,
      ours: true,
      async run(kit) {
        const source = kit.open([answer]);
        const event = await new Promise<Event>((done) => {
          source.onerror = done;
        });
        const {
          message,
          status: told,
          code: alias,
          error,
        } = event as Event & Record<'message' | 'status' | 'code' | 'error', unknown>;
        equal([told, alias, (error as { code: string }).code, source.readyState], [status, status, code, 2]);
        ok(String(message).length > 10 && event.constructor.name !== 'Event', 'it says what happened');
      },
    }),
  ),
  {
    name: 'error: a lost connection is told, and has no status',
    ours: true,
    async run(kit) {
      const source = kit.open([{ destroy: true }]);
      const event = (await kit.next(source, 'error')) as unknown as {
        code?: number;
        error: { code: string; retryable: boolean };
      };
      equal([event.code, event.error.code, event.error.retryable, source.readyState], [undefined, 'network', true, 0]);
    },
  },
  {
    name: 'other origin: that it gives no leave is told',
    ours: true,
    async run(kit) {
      const source = kit.open([{ ...stays('data: x\n\n'), cors: false }], undefined, kit.place.other);
      const { error } = (await kit.next(source, 'error')) as unknown as { error: { code: string; message: string } };
      equal([error.code, error.message.includes('CORS')], ['network', true]);
    },
  },
  {
    name: 'other origin: one that is not there is tried again',
    ours: true,
    async run(kit) {
      const source = kit.open([{ destroy: true }], undefined, kit.place.other);
      const { error } = (await kit.next(source, 'error')) as unknown as { error: { retryable: boolean } };
      equal([source.readyState, error.retryable], [0, true]);
    },
  },
  {
    name: 'other origin: looking whether it is there leaves no stream behind',
    ours: true,
    async run(kit) {
      const source = kit.open(
        [{ cors: false }, stays('data: x\n\n'), stays('data: y\n\n')],
        undefined,
        kit.place.other,
      );
      equal((await kit.next(source, 'message')).data, 'y');
      await until(async () => (await kit.seen(source)).slice(0, 2).every(({ closed }) => closed !== undefined));
      equal([source.readyState, (await kit.seen(source)).length], [1, 3]);
    },
  },
  {
    name: 'other origin: once it gave its leave, an answer without is tried again',
    ours: true,
    async run(kit) {
      const plan = [{ body: 'retry: 10\ndata: x\n\n' }, { cors: false as const }, stays('data: y\n\n')];
      const source = kit.open(plan, undefined, kit.place.other);
      while ((await kit.next(source, 'message')).data !== 'y');
    },
  },
  {
    name: 'constructor: a host with a space is a SyntaxError, though Chromium parses it',
    ours: true,
    run({ Source }) {
      for (const url of ['http://a host/', 'http://a%20host/', '//a host/']) {
        equal(thrown(() => new Source(url)).name, 'SyntaxError', url);
      }
      new Source('/a%20path?a%20query').close();
    },
  },
  {
    name: 'error: a line above the limit closes',
    ours: true,
    async run(kit) {
      const source = kit.open([stays('data: ok\n\ndata: 0123456789012345678901234567890123456789\n')], { limit: 32 });
      const first = kit.next(source, 'message');
      const event = (await kit.next(source, 'error')) as unknown as { error: { code: string } };
      equal([(await first).data, event.error.code, source.readyState], ['ok', 'protocol', 2]);
    },
  },
  {
    name: 'charset: a stream is UTF-8 whatever its type says',
    ours: true,
    async run(kit) {
      const source = kit.open([
        { headers: { 'content-type': 'text/event-stream;charset=windows-1252' }, ...stays('data: \u20ac\n\n') },
      ]);
      equal((await kit.next(source, 'message')).data, '\u20ac');
    },
  },
  {
    name: 'redirect: a reconnect begins at the original URL',
    ours: true,
    async run(kit) {
      const end = kit.url([{ body: 'retry: 10\nid: 5\ndata: x\n\n' }, stays('data: y\n\n')]);
      const source = kit.open([{ status: 302, headers: { location: end } }]);
      await kit.next(source, 'message');
      equal((await kit.next(source, 'message')).data, 'y');
      equal(
        (await kit.seen(source)).map(({ headers }) => headers['last-event-id']),
        [undefined, '5'],
      );
    },
  },
  {
    name: 'refused bodies are let go: the connections of the browser stay free',
    ours: true,
    async run(kit) {
      const endless = { headers: { 'content-type': 'text/html' }, ...stays('x'.repeat(1_000)) };
      const refused = Array.from({ length: 8 }, () => kit.open([endless]));
      await Promise.all(refused.map((source) => kit.next(source, 'error')));
      const source = kit.open([stays('data: x\n\n')]);
      equal((await kit.next(source, 'message')).data, 'x');
      await until(async () => (await Promise.all(refused.map((one) => kit.seen(one)))).every(([one]) => one?.closed));
    },
  },
  {
    name: 'reconnect: the network is back, so it does not wait',
    ours: true,
    only: 'window',
    async run(kit) {
      const source = kit.open([{ body: 'retry: 60000\ndata: x\n\n' }, stays('data: y\n\n')]);
      await kit.next(source, 'error');
      const again = setInterval(() => dispatchEvent(new Event('online')), 50);
      equal((await kit.next(source, 'message')).data, 'y');
      clearInterval(again);
    },
  },
  {
    name: 'headers: more of them, and those of the standard stay',
    ours: true,
    async run(kit) {
      const source = kit.open([stays('data: x\n\n')], { headers: { 'X-App': 'a', Accept: 'text/html' } });
      await kit.next(source, 'message');
      const { 'x-app': app, accept } = (await kit.seen(source))[0]?.headers ?? {};
      equal([app, accept], ['a', 'text/event-stream']);
    },
  },
  {
    name: 'fetch: one of the app instead of the global one',
    ours: true,
    async run(kit) {
      const asked: string[] = [];
      const own: typeof fetch = (url, init) => {
        asked.push(String(url));
        return fetch(url, init);
      };
      const source = kit.open([stays('data: x\n\n')], { fetch: own });
      await kit.next(source, 'message');
      equal(asked, [source.url]);
    },
  },
  {
    name: 'fromReadableStream: what it is at first',
    ours: true,
    run({ Source }) {
      const source = Source.fromReadableStream(streamOf('data: x\n\n'));
      const { url, readyState, withCredentials, lastEventId, reconnectionTime } = source;
      equal(
        [url, readyState, withCredentials, lastEventId, reconnectionTime > 0],
        ['about:event-stream', 0, false, '', true],
      );
      ok(source instanceof Source, 'an EventSource');
      const locked = streamOf();
      locked.getReader();
      equal(thrown(() => Source.fromReadableStream(locked)).name, 'TypeError');
    },
  },
  {
    name: 'fromReadableStream: opens, tells, and closes at the end, once',
    ours: true,
    async run({ Source }) {
      const source = Source.fromReadableStream(
        streamOf('\ufeffda', 'ta: hel', 'lo\n\nid: 4\nretry: 5000\ndata: b\r\r', 'data: no'),
      );
      const seen: unknown[] = [];
      for (const type of ['open', 'message', 'error']) {
        source.addEventListener(type, (event: MessageEvent) =>
          seen.push([type, event.data, event.origin, source.readyState]),
        );
      }
      await until(() => source.readyState === 2);
      await pause(100);
      equal(seen, [
        ['open', undefined, undefined, 1],
        ['message', 'hello', 'null', 1],
        ['message', 'b', 'null', 1],
        ['error', undefined, undefined, 2],
      ]);
      equal([source.lastEventId, source.reconnectionTime], ['4', 5000]);
    },
  },
  {
    name: 'fromReadableStream: an error of the stream, and a chunk that is no bytes, close it',
    ours: true,
    async run(kit) {
      for (const stream of [streamOf(new Error('broken')), new ReadableStream({ start: (c) => c.enqueue('text') })]) {
        const source = kit.Source.fromReadableStream(stream as ReadableStream<Uint8Array>);
        await kit.next(source, 'error');
        equal(source.readyState, 2);
      }
    },
  },
  {
    name: 'fromReadableStream: `close` cancels the stream',
    ours: true,
    async run({ Source }) {
      let cancelled = false;
      const source = Source.fromReadableStream(
        new ReadableStream({
          cancel() {
            cancelled = true;
          },
        }),
      );
      await pause(20);
      source.close();
      await pause(0);
      equal([cancelled, source.readyState], [true, 2]);
    },
  },
  {
    name: 'fromReadableStream: little is read before it is told',
    ours: true,
    async run({ Source }) {
      const total = 2_000;
      let [asked, told, most] = [0, 0, 0];
      const stream = new ReadableStream({
        pull(controller) {
          asked += 1;
          most = Math.max(most, asked - told);
          controller.enqueue(new TextEncoder().encode('data: x\n\n'));
          if (asked === total) controller.close();
        },
      });
      const source = Source.fromReadableStream(stream);
      source.onmessage = () => (told += 1);
      await until(() => source.readyState === 2);
      equal(told, total);
      ok(most < 100, `${most} events were read and not told`);
    },
  },
  {
    name: 'fromReadableStream: several streams one after the other, `reset` between them',
    ours: true,
    async run({ Source }) {
      const pipe = new TransformStream<Uint8Array, Uint8Array>();
      const source = Source.fromReadableStream(pipe.readable);
      const got: unknown[] = [];
      source.onmessage = ({ data, lastEventId }) => got.push([data, lastEventId]);
      await streamOf('id: 42\ndata: first\n\nid: 43\ndata: unfin').pipeTo(pipe.writable, { preventClose: true });
      equal(source.lastEventId, '42');
      source.reset();
      await streamOf('\ufeffdata: second\n\n').pipeTo(pipe.writable, { preventClose: true });
      await until(() => got.length === 2);
      source.close();
      equal(got, [
        ['first', '42'],
        ['second', '42'],
      ]);
    },
  },
  {
    name: 'fromReadableStream: of an answer to fetch',
    ours: true,
    async run(kit) {
      const { body } = await fetch(kit.url([stays('id: 1\ndata: x\n\n')]));
      const source = kit.Source.fromReadableStream(body as ReadableStream<Uint8Array>);
      equal((await kit.next(source, 'message')).lastEventId, '1');
      source.close();
    },
  },
  {
    name: 'lastEventId and reconnectionTime of a source that connects',
    ours: true,
    async run(kit) {
      const source = kit.open([stays('id: a\nretry: 7\ndata: x\n\n')]);
      await kit.next(source, 'message');
      source.reset();
      equal([source.lastEventId, source.reconnectionTime], ['a', 7]);
    },
  },
];
