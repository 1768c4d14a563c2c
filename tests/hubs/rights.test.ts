// Tests of rights that the application determines, and of `POST /rights`.
import { expect, test } from 'vitest';
import { refused } from './support/client.js';
import { forEachHub } from './support/hubs.js';
import type { Rights } from './support/target.js';

/** What users may see; a test changes it. `fails` answers nothing. */
function people(first: Record<string, Rights | null | 'fails'>) {
  const now = { ...first };
  const rights = (user: string): Rights | null => {
    const found = now[user];
    if (found === 'fails') throw new Error('the application has no answer');
    return found ?? null;
  };
  return { now, rights };
}

const PARTS = [
  { type: 'news', to: 'channel:ops' },
  { type: 'other', to: 'role:staff' },
  { type: 'news', to: 'role:guest' },
  { type: 'news', to: 'all' },
];

forEachHub(({ start }) => {
  test('rights are determined when a stream opens, whatever the token says', async () => {
    const { rights } = people({
      ada: { role: 'staff', channels: [] },
      bob: { types: ['news'], channels: ['ops'] },
    });
    const hub = await start({ rights });
    const ada = await hub.stream('ada', { role: 'guest', channels: ['ops'] });
    const bob = await hub.stream('bob', { query: 'types=*' });
    const ids = await hub.publish(PARTS);
    expect([(await ada.update()).id, (await ada.update()).id]).toEqual([ids[1], ids[3]]);
    expect([(await bob.update()).id, (await bob.update()).id]).toEqual([ids[0], ids[3]]);
    // Replay is filtered by the same rights.
    const query = `lastEventId=${ada.hello.after}`;
    const [again, both] = [
      await hub.stream('ada', { query }),
      await hub.stream('bob', { query: `${query}&types=news,x` }),
    ];
    expect([(await again.update()).id, (await again.update()).id]).toEqual([ids[1], ids[3]]);
    expect([(await both.update()).id, (await both.update()).id]).toEqual([ids[0], ids[3]]);
  });

  test('a change is announced on open streams, and filters from there on', async () => {
    const { now, rights } = people({ ada: { role: 'staff' }, bob: { role: 'guest' } });
    const hub = await start({ rights });
    const [ada, bob, away] = [await hub.stream('ada'), await hub.stream('bob'), await hub.stream('ada')];
    expect(await hub.rightsChanged()).toBe(0);
    const [first] = await hub.publish({ type: 'a' });
    for (const stream of [ada, bob, away]) expect((await stream.update()).id).toBe(first);
    away.close();

    now.ada = { role: 'guest', types: ['news'] };
    expect(await hub.rightsChanged({ user: 'bob' })).toBe(0);
    expect(await hub.rightsChanged({ user: 'ada' })).toBeGreaterThanOrEqual(1);
    expect(await ada.resync()).toEqual({ gap: 'rights', types: undefined, id: first });
    const ids = await hub.publish(PARTS);
    expect([(await ada.update()).id, (await ada.update()).id]).toEqual([ids[2], ids[3]]);
    expect([(await bob.update()).id, (await bob.update()).id]).toEqual([ids[2], ids[3]]);
    // A client that was away meanwhile is notified in the hello, and gets what it may see now.
    const back = await hub.stream('ada', { query: `lastEventId=${first}` });
    expect(back.hello).toMatchObject({ gap: 'rights', after: first });
    expect([(await back.update()).id, (await back.update()).id]).toEqual([ids[2], ids[3]]);
    expect(await hub.metric('tinysse_resyncs_total', { gap: 'rights' })).toBeGreaterThanOrEqual(2);
  });

  test('a user without rights is out', async () => {
    const { now, rights } = people({ ada: { role: 'staff' }, bob: {} });
    const hub = await start({ rights });
    const token = await hub.token('ada');
    const [ada, bob] = [await hub.stream('ada', { token }), await hub.stream('bob')];
    now.ada = null;
    expect(await hub.rightsChanged()).toBe(1);
    expect((await ada.bye()).reason).toBe('revoked');
    await ada.end();
    await refused(hub.call('GET', `/events?token=${token}`), 401, 'token_revoked');
    await refused(hub.serve('/auth/sse-token', { user: 'ada' }), 403, 'forbidden');
    await refused(hub.serve('/auth/sse-token', { user: 'nobody' }), 403, 'forbidden');
    await hub.publish({ type: 'a' });
    expect((await bob.update()).type).toBe('a');
  });

  test('without an answer open streams stay as they are, and new ones wait', async () => {
    const { now, rights } = people({ ada: { role: 'staff' }, bob: {} });
    const hub = await start({ rights });
    const tokens = [await hub.token('ada'), await hub.token('bob')] as const;
    const [ada, bob] = [await hub.stream('ada', { token: tokens[0] }), await hub.stream('bob', { token: tokens[1] })];
    Object.assign(now, { ada: 'fails', bob: { types: ['b'] } });
    // What can be determined is.
    await refused(hub.serve('/rights', {}), 503, 'directory_unavailable');
    expect((await bob.resync()).gap).toBe('rights');
    await hub.publish([{ type: 'a', to: 'role:staff' }, { type: 'b' }]);
    expect(await ada.typesUntil('b')).toEqual(['a', 'b']);
    expect((await bob.update()).type).toBe('b');
    // A native client takes every status for final, so it gets a stream with a bye.
    const shown = { authorization: `Bearer ${tokens[0]}` };
    await refused(hub.call('GET', '/events', { headers: shown }), 503, 'busy');
    const native = await hub.open('ada', { token: tokens[0] });
    expect((await native.bye()).reason).toBe('drain');
    await native.end();
    await refused(hub.serve('/auth/sse-token', { user: 'ada' }), 503, 'busy');
    now.ada = { role: 'staff' };
    expect(await hub.rightsChanged()).toBe(0);
    await hub.stream('ada', { token: tokens[0] });
  });

  test('a report of changed rights names one user or nobody', async () => {
    const hub = await start();
    expect(await hub.rightsChanged({})).toBe(0);
    expect(await hub.rightsChanged({ user: null })).toBe(0);
    for (const body of [{ user: 1 }, { users: [] }, [], null, 'ada']) {
      await refused(hub.serve('/rights', body), 400, 'bad_json');
    }
    for (const user of ['', 'a\nb', 'x'.repeat(256)]) await refused(hub.serve('/rights', { user }), 400, 'bad_request');
  });
});
