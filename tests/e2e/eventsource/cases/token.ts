// Cases of token functions and refused tokens.
import { type Case, equal, ok, pause, until } from '../kit';

const stays = (body: string) => ({ body, end: false as const });
const once = (body: string) => ({ body: `retry: 10\n${body}` });
const bearer = (requests: { headers: Record<string, unknown> }[]) =>
  requests.map(({ headers }) => headers.authorization);

/** The option `token`. */
export const token: Case[] = [
  {
    name: 'token: a string is sent, and a refusal of it is the end',
    ours: true,
    async run(kit) {
      const source = kit.open([once('data: x\n\n'), { status: 401 }], { token: 'T' });
      await kit.next(source, 'message');
      await until(() => source.readyState === 2);
      equal(bearer(await kit.seen(source)), ['Bearer T', 'Bearer T']);
    },
  },
  {
    name: 'token: asked again at each reconnect, of any shape',
    ours: true,
    async run(kit) {
      const answers = ['a', { token: 'b', expires_in: 60 }, Promise.resolve('c'), Promise.resolve({ token: 'd' })];
      const reasons: string[] = [];
      const source = kit.open([once('data: 1\n\n'), once('data: 1\n\n'), once('data: 1\n\n'), stays('data: end\n\n')], {
        token: ({ reason, signal }) => {
          ok(signal instanceof AbortSignal && !signal.aborted, 'a signal');
          reasons.push(reason);
          return answers.shift() ?? 'none';
        },
      });
      while ((await kit.next(source, 'message')).data !== 'end');
      equal(bearer(await kit.seen(source)), ['Bearer a', 'Bearer b', 'Bearer c', 'Bearer d']);
      equal(reasons, ['initial', 'reconnect', 'reconnect', 'reconnect']);
    },
  },
  {
    name: 'token: 401 asks once more, in silence, and goes on from the same id',
    ours: true,
    async run(kit) {
      let asked = 0;
      const reasons: string[] = [];
      const source = kit.open([{ status: 401 }, once('id: 9\ndata: 1\n\n'), { status: 401 }, stays('data: 2\n\n')], {
        token: ({ reason }) => {
          reasons.push(reason);
          asked += 1;
          return `t${asked}`;
        },
      });
      let errors = 0;
      source.onerror = () => (errors += 1);
      equal((await kit.next(source, 'message')).data, '1');
      equal((await kit.next(source, 'message')).data, '2');
      const requests = await kit.seen(source);
      equal(bearer(requests), ['Bearer t1', 'Bearer t2', 'Bearer t3', 'Bearer t4']);
      equal(
        requests.map(({ headers }) => headers['last-event-id']),
        [undefined, undefined, '9', '9'],
      );
      equal([reasons, errors], [['initial', 'rejected', 'reconnect', 'rejected'], 1]);
    },
  },
  {
    name: 'token: eight refusals in a row are the end',
    ours: true,
    only: 'window',
    async run(kit) {
      const source = kit.open([{ body: 'retry: 0\n' }, { status: 401 }], { token: () => 't' });
      const seen: unknown[] = [];
      const ended = new Promise<void>((done) => {
        source.onerror = ({ status, error }) => {
          seen.push([source.readyState, status, error?.code]);
          if (source.readyState === 2) done();
        };
      });
      // The backoff is real; the network coming back cuts it short.
      const hurry = setInterval(() => dispatchEvent(new Event('online')), 20);
      await ended;
      clearInterval(hurry);
      // The end of the first stream, then seven of eight refusals: the first was silent.
      equal(seen, [[0, undefined, 'network'], ...Array(6).fill([0, 401, 'unauthorized']), [2, 401, 'unauthorized']]);
      equal((await kit.seen(source)).length, 9);
    },
  },
  {
    name: 'token: never to another origin, even if the server redirects there',
    ours: true,
    async run(kit) {
      const end = kit.url([stays('data: x\n\n')], kit.place.other);
      const source = kit.open([{ status: 307, headers: { location: end } }], { token: () => 'secret' });
      await kit.next(source, 'message');
      const there = await kit.seen({ url: end });
      equal([bearer(await kit.seen(source)), bearer(there)], [['Bearer secret'], [undefined as unknown]]);
      ok(!JSON.stringify(there).includes('secret'), 'nowhere in the request');
    },
  },
  {
    name: 'token: an app that is signed out is told, and nothing is asked again',
    ours: true,
    async run(kit) {
      let asked = 0;
      const source = kit.open([stays('data: x\n\n')], {
        token: async () => {
          asked += 1;
          throw Object.assign(new Error('signed out'), { status: 403 });
        },
      });
      const event = (await kit.next(source, 'error')) as unknown as {
        message: string;
        status: number;
        error: { code: string };
      };
      equal([event.message, event.status, event.error.code, source.readyState], ['signed out', 403, 'unauthorized', 2]);
      await pause(100);
      equal([asked, (await kit.seen(source)).length], [1, 0]);
    },
  },
  {
    name: 'token: another failure is retried, and so is nonsense',
    ours: true,
    only: 'window',
    async run(kit) {
      const answers: (() => unknown)[] = [
        () => {
          throw new TypeError('no network');
        },
        () => 7,
        () => 'good',
      ];
      const source = kit.open([stays('data: x\n\n')], { token: () => answers.shift()?.() as string });
      const codes: unknown[] = [];
      source.onerror = ({ error }) => codes.push([error?.code, source.readyState]);
      const hurry = setInterval(() => dispatchEvent(new Event('online')), 20);
      await kit.next(source, 'message');
      clearInterval(hurry);
      equal(
        [codes, bearer(await kit.seen(source))],
        [
          [
            ['token', 0],
            ['token', 0],
          ],
          ['Bearer good'],
        ],
      );
    },
  },
  {
    name: 'token: `close` while it is asked for aborts the question, and nothing follows',
    ours: true,
    async run(kit) {
      let [asked, aborted] = [false, false];
      const source = kit.open([stays('data: x\n\n')], {
        token: ({ signal }) =>
          new Promise(() => {
            asked = true;
            signal.addEventListener('abort', () => {
              aborted = true;
            });
          }),
      });
      let events = 0;
      source.onerror = () => (events += 1);
      await until(() => asked);
      source.close();
      await pause(100);
      equal([aborted, events, (await kit.seen(source)).length], [true, 0, 0]);
    },
  },
  {
    name: 'token: a refusal by event is swallowed, and what follows it in the stream is not told',
    ours: true,
    async run(kit) {
      const source = kit.open(
        [
          {
            body: 'id: 1\ndata: 1\n\nevent: over\nid: 2\ndata\n\nid: 3\ndata: no\n\n',
            more: ['id: 4\ndata: no\n\n'],
            end: false,
          },
          stays('data: 2\n\n'),
        ],
        {
          token: () => 't',
          unauthorized: ({ type }) => type === 'over',
        },
      );
      const got: unknown[] = [];
      for (const type of ['over', 'error', 'message'])
        source.addEventListener(type, (event) => got.push(event.data ?? type));
      await until(() => got.includes('2'));
      equal(got, ['1', '2']);
      equal(
        (await kit.seen(source)).map(({ headers }) => headers['last-event-id']),
        [undefined, '1'],
      );
    },
  },
  {
    name: 'token: a refusal by event counts, though the connection is cut behind it',
    ours: true,
    async run(kit) {
      const reasons: string[] = [];
      let asked = 0;
      const answer = (text: string, cut: boolean) => {
        let pulls = 0;
        const stream = new ReadableStream({
          pull(controller) {
            pulls += 1;
            if (pulls === 1) controller.enqueue(new TextEncoder().encode(text));
            else if (cut) controller.error(new TypeError('cut'));
            else return new Promise<void>(() => {});
            return undefined;
          },
        });
        return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
      };
      const source = kit.open([{}], {
        token: ({ reason }) => {
          reasons.push(reason);
          return 't';
        },
        unauthorized: ({ type }) => type === 'over',
        fetch: async () => {
          asked += 1;
          return asked === 1 ? answer('data: 1\n\nevent: over\ndata\n\n', true) : answer('data: 2\n\n', false);
        },
      });
      const got: unknown[] = [];
      for (const type of ['over', 'error', 'message'])
        source.addEventListener(type, (event) => got.push(event.data ?? type));
      await until(() => got.includes('2'));
      equal(
        [got, reasons],
        [
          ['1', '2'],
          ['initial', 'rejected'],
        ],
      );
    },
  },
];
