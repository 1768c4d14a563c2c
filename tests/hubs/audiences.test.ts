// Tests of who receives what: audiences, types, exceptions, live and on replay.
import { expect, test } from 'vitest';
import { seqOf } from './support/hub-stream.js';
import { forEachHub, type Suite } from './support/hubs.js';

/** Publishes between two streams of each reader: one was open before, one resumes from before. */
async function received(start: Suite['start'], readers: readonly Reader[], updates: readonly object[]) {
  const hub = await start();
  const live = await Promise.all(readers.map(({ user, ...ask }) => hub.stream(user, ask)));
  const before = live[0]?.hello.after;
  const ids = await hub.publish([...updates, { type: 'end' }]);
  expect(ids.map(seqOf)).toEqual(ids.map((_, at) => at + 1));
  const lists: string[][] = [];
  for (const [at, { user, query = '', ...ask }] of readers.entries()) {
    const replayed = await hub.stream(user, { ...ask, query: `${query}&lastEventId=${before}` });
    expect(replayed.hello).toMatchObject({ gap: 'none', after: before });
    const [now, then] = [await live[at]?.typesUntil('end'), await replayed.typesUntil('end')];
    expect(then, `${user}: replayed as live`).toEqual(now);
    lists.push(then.slice(0, -1));
  }
  return lists;
}

interface Reader {
  readonly user: string;
  readonly role?: string;
  readonly channels?: readonly string[];
  readonly query?: string;
}

forEachHub(({ start }) => {
  test('users, roles and channels see what is for them', async () => {
    const lists = await received(
      start,
      [
        { user: 'ada', role: 'admin', channels: ['ops'] },
        { user: 'bob', role: 'user' },
        { user: 'eve', query: 'wire=native' },
      ],
      [
        { type: 'ada', to: 'user:ada' },
        { type: 'admin', to: ['role:admin'] },
        { type: 'ops', to: 'channel:ops' },
        { type: 'either', to: ['user:bob', 'user:ada'] },
        { type: 'bob', to: 'user:bob' },
        { type: 'user', to: 'role:user' },
        { type: 'no-one', to: ['user:ADA', 'role:ada', 'channel:ada', 'user:ad', 'channel:opsx'] },
        { type: 'all', to: 'all' },
        { type: 'all-too', to: ['user:nobody', 'all'] },
        { type: 'null', to: null },
      ],
    );
    expect(lists).toEqual([
      ['ada', 'admin', 'ops', 'either', 'all', 'all-too', 'null'],
      ['either', 'bob', 'user', 'all', 'all-too', 'null'],
      ['all', 'all-too', 'null'],
    ]);
  });

  test('patterns of channels cover segments', async () => {
    const to = [
      'ops',
      'ops.eu',
      'ops.eu.west',
      'a.b',
      'a.x.b',
      'a.x.y.b',
      'a.x.b.c',
      'news',
      'new',
      'x.y',
      'y',
      'ops.>',
      '*',
    ];
    const lists = await received(
      start,
      [
        { user: 'ada', channels: ['ops.>', 'a.*.b', 'news'] },
        { user: 'bob', channels: ['*', 'x.*'] },
        { user: 'eve', channels: ['>'] },
        { user: 'mallory', channels: [] },
      ],
      to.map((channel, at) => ({ type: `n${at}`, data: channel, to: `channel:${channel}` })),
    );
    const seen = lists.map((types) => types.map((type) => to[Number(type.slice(1))]));
    expect(seen).toEqual([
      ['ops.eu', 'ops.eu.west', 'a.x.b', 'news', 'ops.>'],
      ['ops', 'news', 'new', 'x.y', 'y', '*'],
      to,
      [],
    ]);
  });

  test('a stream gets the types that it asked for', async () => {
    const types = ['projects', 'compute', 'compute.a', 'compute.a.b', 'images', 'projectsx'];
    const lists = await received(
      start,
      [
        { user: 'ada', query: 'types=projects,compute.*,end' },
        { user: 'ada', query: 'types=*' },
        { user: 'ada', query: 'types=' },
        { user: 'ada', query: 'types=none,end&wire=native' },
      ],
      types.map((type) => ({ type })),
    );
    expect(lists).toEqual([['projects', 'compute.a', 'compute.a.b'], types, types, []]);
  });

  test('the stream that caused an update is left out, live and on replay', async () => {
    const hub = await start();
    const [tab, other] = [await hub.stream('ada'), await hub.stream('ada')];
    await hub.publish([
      { type: 'mine', except: tab.hello.client },
      { type: 'end', except: 'unknown' },
    ]);
    expect(await tab.typesUntil('end')).toEqual(['end']);
    expect(await other.typesUntil('end')).toEqual(['mine', 'end']);
    // Another stream of the same tab has another name.
    const again = await hub.stream('ada', { query: `lastEventId=${tab.hello.after}` });
    expect(await again.typesUntil('end')).toEqual(['mine', 'end']);
  });

  test('the refetches of many are spread', async () => {
    const hub = await start({ spread: 1 });
    const [a, b] = [await hub.stream('ada'), await hub.stream('bob')];
    await hub.publish([{ type: 'one', to: 'user:ada' }, { type: 'two' }]);
    expect([(await a.update()).spread, (await a.update()).spread]).toEqual([1_000, 2_000]);
    expect((await b.update()).spread).toBe(2_000);
    const few = await start();
    const stream = await few.stream('ada');
    await few.publish({ type: 'one' });
    expect((await stream.update()).spread).toBeUndefined();
  });
});
