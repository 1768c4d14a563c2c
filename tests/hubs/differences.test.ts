// Tests of the differences between the hubs: they are those that docs/server.md lists, and no more.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHub, type HubError } from '../../js/server/index.js';
import { HubClient, refused } from './support/client.js';
import { DIFFERENCES, SAME, sideOf } from './support/differences.js';
import { forEachHub } from './support/hubs.js';
import { node } from './support/node-target.js';
import { flagsOfProgram } from './support/rust-target.js';
import { PUBLISH_KEY, SECRET } from './support/target.js';

const listed: readonly { flags?: readonly string[]; options?: readonly string[]; requests?: readonly string[] }[] =
  Object.values(DIFFERENCES);

/** The options of `createHub`, or of one of its groups: an error lists them. */
function optionsOf(group?: 'log' | 'slow' | 'limits'): string[] {
  const wrong = { nonsense: 1 };
  try {
    createHub((group ? { [group]: wrong } : wrong) as object);
  } catch (error) {
    const names = (error as HubError).message.split(' takes ')[1]?.split(', ') ?? [];
    return names.map((name) => (group ? `${group}.${name}` : name));
  }
  throw new Error('an unknown option was taken');
}

test('the document lists the differences', () => {
  const document = readFileSync(new URL('../../docs/server.md', import.meta.url), 'utf8');
  const [, section = ''] = document.split('\n## Differences of the hub in Node\n');
  const names = [...(section.split('\n## ')[0]?.matchAll(/^\| ([^|]+) \|/gm) ?? [])].map(([, name]) => name as string);
  expect(names.slice(1)).toEqual(Object.keys(DIFFERENCES));
});

test('each option is a flag of the server, too, or a difference', () => {
  const groups = ['log', 'slow', 'limits'] as const;
  const options = [
    ...optionsOf().filter((name) => !(groups as readonly string[]).includes(name)),
    ...groups.flatMap((group) => optionsOf(group)),
  ];
  expect(options.length).toBeGreaterThan(25);
  const known = [...new Set(Object.values(SAME)), ...listed.flatMap(({ options = [] }) => options)];
  expect(options.sort()).toEqual(known.sort());
});

forEachHub(({ start, target }) => {
  if (sideOf('Configuration', target) === 'server') {
    test('each flag is an option of the hub in Node, too, or a difference', () => {
      const flags = flagsOfProgram();
      expect(flags.length).toBeGreaterThan(50);
      const known = [...Object.keys(SAME), ...listed.flatMap(({ flags = [] }) => flags)];
      expect(flags.sort()).toEqual(known.sort());
    });
  }

  test('operation, sessions and development have routes at the server alone', async () => {
    const hub = await start();
    const requests = listed.flatMap(({ requests = [] }) => requests);
    expect(requests.length).toBeGreaterThan(5);
    for (const request of requests) {
      const [method = '', path = ''] = request.split(' ');
      const asked = hub.call(method, path);
      if (sideOf('Operation', target) === 'node') await refused(asked, 404, 'not_found');
      else expect((await asked).status, request).not.toBe(404);
    }
  });

  test('HEAD is a method of the server alone, and so is a preflight of any path', async () => {
    const hub = await start({ cors: ['https://app.example'] });
    const headers = { authorization: `Bearer ${await hub.token('ada')}` };
    const head = await hub.call('HEAD', '/cursor', { headers: { authorization: `Bearer ${PUBLISH_KEY}` } });
    const preflight = await hub.call('OPTIONS', '/nothing', {
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    });
    const isServer = sideOf('Methods', target) === 'server';
    expect([head.status, preflight.status]).toEqual(isServer ? [200, 200] : [405, 404]);
    // No stream is left behind.
    if (!isServer) expect((await hub.call('HEAD', '/events', { headers })).status).toBe(405);
    expect(await hub.metric('tinysse_streams_open')).toBe(0);
  });

  test('a hub in Node beats once a second at most', async () => {
    if (sideOf('Configuration', target) === 'server') {
      const hub = await start({ heartbeat: 20 });
      expect((await hub.stream('ada')).hello.beat).toBe(20);
    } else {
      await expect(start({ heartbeat: 999 })).rejects.toMatchObject({ code: 'options', option: 'heartbeat' });
    }
  });

  test('a full hub asks to come back within the time over which it would close', async () => {
    const hub = await start({ linger: 60_000 });
    const stream = await hub.stream('ada');
    const ended = hub.hub.drain();
    const { wait } = await stream.bye();
    // With --dev the server has no drain window; the hub in Node spreads the returns alone.
    expect(wait).toBeLessThan(sideOf('Shutdown', target) === 'server' ? 2_501 : 3_500);
    stream.close();
    await ended;
  });
});

test('behind a body parser the data of an update is spelled anew', async () => {
  const hub = createHub({ secret: SECRET, publishKey: PUBLISH_KEY });
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    hub.node(Object.assign(request, text && { body: JSON.parse(text) }), response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(async () => {
    await hub.close({ drain: 0 });
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const running = {
    url,
    logIn: async () => ({}),
    metrics: async () => '',
    drain: async () => {},
    stop: async () => {},
  };
  const client = new HubClient(node, running);
  const stream = await client.stream('ada');
  await client.serveText('/publish', '{"type":"a","data":[1.50]}');
  expect((await stream.update()).envelope).toContain('"data":[1.5],');
  stream.close();
});
