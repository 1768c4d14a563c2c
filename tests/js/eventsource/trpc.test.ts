// The class beneath an unmodified tRPC client, against a real tRPC server whose tokens are over
// after a few updates.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTRPCClient, httpSubscriptionLink, TRPCClientError } from '@trpc/client';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventSource } from '../../../js/eventsource/index.js';
import { type TrpcEventSourceOptions, trpcEventSource } from '../../../js/trpc/index.js';

/** Updates that a token is good for. */
const lifetime = 5;

interface Context {
  token: string | undefined;
}

/** What is left of each token that was given out. */
const left = new Map<string, number>();
let streams: string[] = [];
let server: Server;

const t = initTRPC.context<Context>().create({ sse: { client: { reconnectAfterInactivityMs: 20_000 } } });

const check = (token: string | undefined): void => {
  if (!left.get(token ?? '')) throw new TRPCError({ code: 'UNAUTHORIZED', message: 'the token is over' });
};

const router = t.router({
  updates: t.procedure
    .input((value) => value as { lastEventId?: string | null } | undefined)
    .subscription(async function* ({ input, ctx: { token = '' } }) {
      streams.push(input?.lastEventId ?? '');
      for (let id = Number(input?.lastEventId ?? 0) + 1; ; id++) {
        check(token);
        left.set(token, (left.get(token) ?? 0) - 1);
        yield tracked(String(id), { id });
        // The event loop turns, so that an update is on its way before the next one is made.
        await new Promise((done) => setImmediate(done));
      }
    }),
  refuse: t.procedure.subscription(async function* () {
    yield 'hello';
    throw new TRPCError({ code: 'FORBIDDEN' });
  }),
});

beforeEach(async () => {
  left.clear();
  streams = [];
  server = createHTTPServer({
    router,
    createContext({ req }): Context {
      const token = req.headers.authorization?.replace('Bearer ', '');
      check(token);
      return { token };
    },
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function client(options: TrpcEventSourceOptions) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return createTRPCClient<typeof router>({
    links: [httpSubscriptionLink({ url, EventSource: trpcEventSource(options) })],
  });
}

let given = 0;
const fresh = (): string => {
  given += 1;
  left.set(`token${given}`, lifetime);
  return `token${given}`;
};

/** Subscribes until this many updates came, or the subscription ended. */
function updates(token: TrpcEventSourceOptions['token'], count: number, each = (_id: number) => {}) {
  const ids: number[] = [];
  const errors: unknown[] = [];
  return new Promise<{ ids: number[]; errors: unknown[] }>((done) => {
    const finish = () => {
      subscription.unsubscribe();
      done({ ids, errors });
    };
    const subscription = client({ token }).updates.subscribe(undefined, {
      onData({ data }) {
        ids.push(data.id);
        each(data.id);
        if (ids.length === count) finish();
      },
      onConnectionStateChange({ error }) {
        if (error) errors.push(error);
      },
      onError(error) {
        errors.push(error);
        finish();
      },
    });
  });
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test('five lifetimes of a token: no update is missing or doubled, and the app sees no error', async () => {
  const token = vi.fn(async () => fresh());
  const { ids, errors } = await updates(token, 5 * lifetime + 1);
  expect(ids).toEqual(upTo(26));
  expect(errors).toEqual([]);
  expect(token).toHaveBeenCalledTimes(6);
  expect(streams).toEqual(['', '5', '10', '15', '20', '25']);
});

test('a token that was over when it was given is asked for again', async () => {
  const answers = ['never given out', fresh(), fresh()];
  const token = vi.fn(() => ({ token: answers.shift() ?? '', expires_in: 60 }));
  const { ids, errors } = await updates(token, 2 * lifetime);
  expect([ids, errors]).toEqual([upTo(10), []]);
  expect(token).toHaveBeenCalledTimes(3);
});

test('a connection that is cut goes on after the last update', async () => {
  const { ids } = await updates(fresh, 8, (id) => {
    if (id === 3) server.closeAllConnections();
  });
  expect(ids).toEqual(upTo(8));
  expect(Number(streams[1])).toBeGreaterThanOrEqual(3);
}, 15_000);

test('an app that is signed out: the subscription ends, and reports why', async () => {
  const answers = [() => fresh()];
  const token = () => {
    const answer = answers.shift();
    if (answer) return answer();
    throw Object.assign(new Error('signed out'), { status: 401 });
  };
  const { ids, errors } = await updates(token, 100);
  expect(ids).toEqual(upTo(lifetime));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toBeInstanceOf(TRPCClientError);
  expect(String(errors[0])).toContain('signed out');
});

test('an error of another kind is the app’s', async () => {
  const error = await new Promise<unknown>((done) => {
    client({ token: fresh }).refuse.subscribe(undefined, { onError: done });
  });
  expect(error).toMatchObject({ data: { code: 'FORBIDDEN' } });
});

test('without the hook, the same class ends at the end of the first lifetime: the test detects it', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ids: number[] = [];
  const error = await new Promise<unknown>((done) => {
    createTRPCClient<typeof router>({
      links: [httpSubscriptionLink({ url, EventSource, eventSourceOptions: { token: fresh } })],
    }).updates.subscribe(undefined, { onData: ({ data }) => ids.push(data.id), onError: done });
  });
  expect([ids, (error as TRPCClientError<typeof router>).data?.httpStatus]).toEqual([upTo(lifetime), 401]);
});
