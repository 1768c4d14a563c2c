// The hub in this process as two targets: behind `hub.node`, and behind `hub.fetch`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHub, type TinysseHub, type User } from '../../../js/server/index.js';
import { answerByFetch } from './fetch-bridge.js';
import { PUBLISH_KEY, type RunningHub, SECRET, type Settings, type Target, USUAL } from './target.js';

type Updates = Record<string, unknown>;
type Hub = TinysseHub<Updates>;

/** `createServer(hub.node)`. */
export const node = targetOf('hub.node', (hub) => (request, response) => hub.node(request, response));

/** `hub.fetch`, as a framework of the web platform calls it. */
export const web = targetOf('hub.fetch', (hub) => (request, response) => void answerByFetch(hub, request, response));

type Carry = (hub: Hub) => (request: IncomingMessage, response: ServerResponse) => void;

function targetOf(name: Target['name'], carry: Carry): Target {
  return { name, start: (settings) => start(carry, settings) };
}

async function start(carry: Carry, settings: Settings): Promise<RunningHub> {
  const logins = new Map<string, User>();
  const errors: string[] = [];
  const hub = createHub<Updates>({
    ...optionsOf(settings),
    identify: ({ headers }) => logins.get(headers.get('cookie') ?? ''),
    onError: (error) => {
      // That one is the test's own.
      if (error.code !== 'directory_unavailable') errors.push(`${error.code}: ${error.message}`);
    },
  });
  const server = createServer(carry(hub));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const ended = async () => {
    await new Promise<void>((done) => server.close(() => done()));
    if (errors.length > 0) throw new Error(`the hub reported: ${errors.join('; ')}`);
  };
  let over: Promise<void> | undefined;
  const end = (drain: number) => {
    over ??= hub.close({ drain }).then(ended);
    return over;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async logIn(user, role, channels) {
      const cookie = `login=${logins.size}`;
      logins.set(cookie, { user, role, channels, session: cookie });
      return { cookie };
    },
    metrics: async () => hub.metricsText(),
    drain: () => end(60_000),
    async stop() {
      const over = end(0);
      server.closeAllConnections();
      await over;
    },
    notify: (type, data) => hub.notify(type, { data }),
  };
}

function optionsOf(given: Settings) {
  const s = { ...USUAL, ...given };
  const { rights } = given;
  return {
    secret: SECRET,
    publishKey: PUBLISH_KEY,
    log: { maxCount: s.maxCount, maxBytes: s.maxBytes },
    ...{ heartbeat: s.heartbeat, retry: s.retry, linger: s.linger, tokenTtl: s.tokenTtl, spread: s.spread },
    ...{ singleUse: s.singleUse, endWithToken: s.endWithToken, cors: s.cors, coalesce: s.coalesce },
    slow: { lag: s.slowLag, rules: s.slowRules },
    limits: {
      ...{ streams: s.streams, streamsPerUser: s.streamsPerUser, streamAge: s.streamAge },
      ...{ tokensPerUser: s.tokensPerUser ?? 0, tokensPerAddress: s.tokensPerAddress ?? 0 },
      stallTimeout: s.stallTimeout,
    },
    // The tests name addresses as a proxy does.
    trustProxy: s.tokensPerAddress !== undefined,
    rights:
      rights &&
      (async (user: User): Promise<User | null> => {
        const now = rights(user.user);
        return now && { ...user, ...now };
      }),
  };
}
