// Cases of requests, answers and reconnects.
import { type Case, equal, ok, pause, until } from '../kit';

const once = (body: string) => ({ body: `retry: 10\n${body}` });
const stays = (body: string) => ({ body, end: false as const });

/** Requests, answers, reconnects: WHATWG HTML §9.2.2 to §9.2.4. */
export const connection: Case[] = [
  {
    name: 'request: GET, asks for a stream, past every cache, without an id',
    async run(kit) {
      const source = kit.open([stays('data: x\n\n')]);
      await kit.next(source, 'message');
      const [request] = await kit.seen(source);
      const { accept, 'cache-control': cache, 'last-event-id': id } = request?.headers ?? {};
      equal([request?.method, accept, cache, id], ['GET', 'text/event-stream', 'no-cache', undefined]);
    },
  },
  {
    name: 'reconnect: after the end of the stream, with an error event before',
    async run(kit) {
      const source = kit.open([once('data: 1\n\n'), stays('data: 2\n\n')]);
      const seen: unknown[] = [];
      for (const type of ['open', 'message', 'error']) {
        source.addEventListener(type, (event: Event) => seen.push([type, source.readyState, 'data' in event]));
      }
      await kit.next(source, 'error');
      await kit.next(source, 'message');
      const [open, message] = [
        ['open', 1, false],
        ['message', 1, true],
      ];
      equal(seen, [open, message, ['error', 0, false], open, message]);
    },
  },
  {
    name: 'reconnect: after the connection broke, and after it was refused',
    async run(kit) {
      const source = kit.open([
        { ...once('data: 1\n\n'), end: false },
        { destroy: true },
        { destroy: true },
        stays('data: 2\n\n'),
      ]);
      equal((await kit.next(source, 'message')).data, '1');
      const error = kit.next(source, 'error');
      await kit.cut(source);
      await error;
      equal(source.readyState, 0);
      equal((await kit.next(source, 'message')).data, '2');
    },
  },
  {
    name: 'reconnect: not before the reconnection time',
    async run(kit) {
      const source = kit.open([
        { body: 'retry: 0600\nretry: 1x\nretry: -1\nretry: \u0661\ndata: x\n\n' },
        stays('data: y\n\n'),
      ]);
      await kit.next(source, 'error');
      const lost = performance.now();
      await kit.next(source, 'open');
      const gap = performance.now() - lost;
      ok(gap >= 590, `after ${gap} ms`);
    },
  },
  {
    name: 'reconnect: `close` in the error event, or while waiting, ends it',
    async run(kit) {
      const [one, two] = [kit.open([once('data: x\n\n')]), kit.open([once('data: x\n\n')])];
      one.onerror = () => one.close();
      two.onerror = () => queueMicrotask(() => two.close());
      await Promise.all([kit.next(one, 'error'), kit.next(two, 'error')]);
      await pause(700);
      equal([(await kit.seen(one)).length, (await kit.seen(two)).length], [1, 1]);
    },
  },
  {
    name: 'id: sent as UTF-8 when it reconnects',
    async run(kit) {
      const source = kit.open([once('id: \u2026\u00e9\ndata: x\n\n'), stays('data: y\n\n')]);
      await kit.next(source, 'message');
      equal((await kit.next(source, 'message')).lastEventId, '\u2026\u00e9');
      const id = (await kit.seen(source))[1]?.headers['last-event-id'] as string;
      equal(new TextDecoder().decode(Uint8Array.from(id, (c) => c.charCodeAt(0))), '\u2026\u00e9');
    },
  },
  {
    name: 'id: an unfinished event moves nothing, an id without data does, an empty one is not sent',
    async run(kit) {
      const source = kit.open([
        once('id: 1\ndata: x\n\nid: 2\ndata: y\n'),
        once('id: 3\n\n'),
        once('id\ndata: z\n\n'),
        stays('data: end\n\n'),
      ]);
      while ((await kit.next(source, 'message')).data !== 'end');
      const ids = (await kit.seen(source)).map(({ headers }) => headers['last-event-id']);
      equal(ids, [undefined, '1', '3', undefined]);
    },
  },
  ...[204, 205, 210, 299, 400, 404, 410, 429, 500, 503].map(
    (status): Case => ({
      name: `status ${status}: an error, and closed for good`,
      async run(kit) {
        const source = kit.open([{ status, body: status < 206 ? '' : once('data: x\n\n').body }]);
        let got = 0;
        for (const type of ['open', 'message']) source.addEventListener(type, () => (got += 1));
        await kit.next(source, 'error');
        equal([source.readyState, got], [2, 0]);
        equal((await kit.seen(source)).length, 1, 'requests');
      },
    }),
  ),
  {
    name: 'status 204 when it reconnects: the server says stop',
    async run(kit) {
      const source = kit.open([once('data: x\n\n'), { status: 204 }]);
      const states: number[] = [];
      source.onerror = () => states.push(source.readyState);
      await until(() => states.length === 2);
      await pause(400);
      equal([states, (await kit.seen(source)).length], [[0, 2], 2]);
    },
  },
  ...[
    'text/html',
    'text/x-bogus',
    'text/event-streamy',
    'text event-stream',
    'application/json',
    'text/event-stream-x; charset=utf-8',
  ].map(
    (type): Case => ({
      name: `content type ${type}: an error, and closed for good`,
      async run(kit) {
        const source = kit.open([{ headers: { 'content-type': type }, body: 'data: x\n\n' }]);
        source.onmessage = () => source.dispatchEvent(new Event('wrong'));
        await kit.next(source, 'error');
        equal(source.readyState, 2);
      },
    }),
  ),
  ...[
    'text/event-stream;',
    'Text/Event-Stream',
    'text/event-stream; charset=utf-8',
    'text/event-stream ;charset=UTF-8;x=y',
    'text/event-stream;bogus',
  ].map(
    (type): Case => ({
      name: `content type ${type}: a stream`,
      async run(kit) {
        const source = kit.open([{ headers: { 'content-type': type }, ...stays('data: \u20ac\n\n') }]);
        equal((await kit.next(source, 'message')).data, '\u20ac');
      },
    }),
  ),
  ...['ftp://stream.invalid/', 'mailto:stream@example.invalid', 'about:blank', 'javascript:alert(1)'].map(
    (url): Case => ({
      name: `${url} is no place of streams: an error, and closed for good`,
      async run(kit) {
        const source = kit.at(url);
        await kit.next(source, 'error');
        equal(source.readyState, 2);
      },
    }),
  ),
  ...[301, 302, 303, 307, 308].map(
    (status): Case => ({
      name: `redirect ${status}: followed, and the origin is that of the end`,
      async run(kit) {
        const end = kit.url([stays('data: x\n\n')], kit.place.other);
        const source = kit.open([{ status, headers: { location: end } }]);
        const url = source.url;
        equal((await kit.next(source, 'message')).origin, kit.place.other);
        equal(source.url, url);
      },
    }),
  ),
  {
    name: 'other origin: with its leave, without cookies',
    async run(kit) {
      const source = kit.open([stays('data: x\n\n')], undefined, kit.place.other);
      equal((await kit.next(source, 'message')).origin, kit.place.other);
      equal((await kit.seen(source))[0]?.headers.origin, kit.place.origin);
    },
  },
  {
    name: 'other origin: without its leave there is an error, and closed for good',
    async run(kit) {
      const source = kit.open([{ ...stays('data: x\n\n'), cors: false }], undefined, kit.place.other);
      let got = 0;
      for (const type of ['open', 'message']) source.addEventListener(type, () => (got += 1));
      const error = await kit.next(source, 'error');
      ok(!('data' in error), 'no data');
      equal([source.readyState, got], [2, 0]);
    },
  },
  {
    name: 'cookies: to the own origin always, to another only with credentials',
    async run(kit) {
      const name = `c${Math.random()}`.replace('.', '');
      const cookie = { headers: { 'set-cookie': `${name}=1; Path=/` } };
      // Cookies do not look at ports, so what one origin sets the other one gets, if it gets any.
      const setter = kit.open([{ ...cookie, ...stays('data: x\n\n') }]);
      await kit.next(setter, 'message');
      setter.close();
      const sent = async (origin: string, withCredentials: boolean) => {
        const source = kit.open([stays('data: x\n\n')], { withCredentials }, origin);
        await kit.next(source, 'message');
        const { headers } = (await kit.seen(source))[0] ?? {};
        source.close();
        return String(headers?.cookie ?? '').includes(name);
      };
      const { origin, other } = kit.place;
      equal(
        [await sent(origin, false), await sent(origin, true), await sent(other, false), await sent(other, true)],
        [true, true, false, true],
      );
    },
  },
];
