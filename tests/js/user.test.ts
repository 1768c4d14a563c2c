// Whose connection it is, as far as the facade knows: before, while and after the wasm is there.
// What the session makes of it is in `user-real.test.ts` and `tests/transcripts`.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientOptions, createClient } from '../../js/index.js';
import type { Wasm } from '../../js/loader/wasm.js';
import { Double, doubles } from './support/double.js';

const { load } = vi.hoisted(() => ({ load: vi.fn<() => Promise<Wasm>>() }));
vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: load }));

/** Ends the load that is under way. */
let come: () => Promise<void>;

function hold(more: Partial<ClientOptions> = {}) {
  const client = createClient({ url: '/events', closeDelay: 10, ...more });
  const users: (string | null)[] = [];
  const statuses: string[] = [];
  client.onUser((user) => users.push(user));
  client.onStatus(({ status }) => statuses.push(status));
  client.acquire();
  return { client, users, statuses };
}

async function open(user: string | null, more: Partial<ClientOptions> = {}) {
  const all = hold(more);
  await come();
  const wasm = Double.last;
  wasm.say({ status: 'open', user, lastEventId: 'e.5' });
  return { ...all, wasm };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', class {});
  Double.made = [];
  load.mockReset();
  load.mockImplementation(
    () =>
      new Promise((resolve) => {
        come = async () => {
          resolve(doubles);
          await vi.advanceTimersByTimeAsync(0);
        };
      }),
  );
});

afterEach(() => void vi.useRealTimers());

describe('setUser', () => {
  test('before anybody holds the connection: it is made for that user, and not for the one of the options', async () => {
    const client = createClient({ url: '/events', user: 'ada' });
    client.setUser('bob');
    expect(load).not.toHaveBeenCalled();
    client.acquire();
    await come();
    expect(Double.last.given.user).toBe('bob');
    expect(Double.last.calls).toEqual(['start']);
  });

  test('while it loads: one is made, for the last user', async () => {
    const { client } = hold();
    client.setUser('ada');
    client.setUser('bob');
    await come();
    expect(load).toHaveBeenCalledOnce();
    expect(Double.made).toHaveLength(1);
    expect(Double.last.given.user).toBe('bob');
  });

  test('while it is open: the session is notified in the call', async () => {
    const { client, wasm } = await open('ada');
    client.setUser('bob');
    client.setUser(null);
    client.setUser('');
    expect(wasm.calls).toEqual(['start', 'user bob', 'user ', 'user ']);
  });

  test('of the user whom the token named changes nothing', async () => {
    const { client, users } = await open('ada');
    client.setUser('ada');
    client.setUser('ada');
    expect(users).toEqual([]);
  });

  test('drops the cursor that was given for another user, and not the one that was given for this one', async () => {
    const cursors: unknown[] = [];
    for (const [first, second] of [
      ['ada', 'bob'],
      ['ada', null],
      ['ada', 'ada'],
      [undefined, 'ada'],
    ] as const) {
      const client = createClient({ url: '/events', lastEventId: 'e.1', user: first });
      client.setUser(second);
      client.setUser(second ?? 'ada');
      client.acquire();
      await come();
      cursors.push(Double.last.given.lastEventId);
    }
    expect(cursors).toEqual([undefined, undefined, 'e.1', 'e.1']);
  });
});

describe.each([
  ['null', null],
  ['an empty name', ''],
])('%s is nobody', (_, nobody) => {
  test('as an option: nothing is loaded, the status is idle, and nothing is reported', async () => {
    const { client, statuses } = hold({ user: nobody });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(load).not.toHaveBeenCalled();
    expect(client.getSnapshot().status).toBe('idle');
    expect(statuses).toEqual([]);
    client.reconnect();
    expect(load).not.toHaveBeenCalled();
    client.setUser('ada');
    expect(client.getSnapshot().status).toBe('connecting');
    await come();
    expect(Double.last.given.user).toBe('ada');
  });

  test('while it loads: nothing is made, and with the next user it is', async () => {
    const { client } = hold({ user: 'ada' });
    client.setUser(nobody);
    expect(client.getSnapshot().status).toBe('idle');
    await come();
    expect(Double.made).toEqual([]);
    client.setUser('bob');
    await come();
    expect(Double.made).toHaveLength(1);
    expect(Double.last.given.user).toBe('bob');
  });
});

describe('onUser is called once for each change', () => {
  test('by setUser', async () => {
    const { client, users } = await open(null);
    for (const user of ['ada', 'ada', 'bob', null, null, '', 'bob']) client.setUser(user);
    expect(users).toEqual(['ada', 'bob', null, 'bob']);
  });

  test('by setUser, though the session reports it too', async () => {
    const { client, wasm, users } = await open('ada');
    wasm.setUser = (user) => wasm.say({ user: user || null, status: user ? 'connecting' : 'idle' });
    client.setUser('bob');
    client.setUser(null);
    client.setUser('ada');
    wasm.say({ status: 'open' });
    expect(users).toEqual(['bob', null, 'ada']);
  });

  test('by setUser before the wasm is there', async () => {
    const { client, users } = hold({ user: 'ada' });
    client.setUser('bob');
    client.setUser(null);
    await come();
    expect(users).toEqual(['bob', null]);
  });

  test('by a token; the first user of a client is no change', async () => {
    const { wasm, users } = await open('ada');
    wasm.say({ user: 'ada', events: 1 });
    wasm.say({ user: 'bob', lastEventId: '' });
    wasm.say({ user: 'bob', status: 'connecting' });
    wasm.say({ user: null });
    expect(users).toEqual(['bob', null]);
  });

  test('by forget, though the session reports it too; a user who signs in again is one more', async () => {
    const { client, wasm, users } = await open('ada');
    wasm.forget = () => wasm.say({ user: null, status: 'idle', lastEventId: '' });
    client.forget();
    expect(users).toEqual([null]);
    client.setUser('ada');
    expect(users).toEqual([null, 'ada']);
    // One who is named stays named in the session.
    wasm.forget = () => wasm.say({ status: 'idle', lastEventId: '' });
    client.forget();
    client.setUser('ada');
    expect(users).toEqual([null, 'ada', null, 'ada']);
  });
});

describe('forget', () => {
  test('while it loads: nothing is made, until there is a user', async () => {
    const { client, users } = hold({ user: 'ada', lastEventId: 'e.1' });
    const forgotten = client.forget();
    expect(client.getSnapshot().status).toBe('idle');
    await come();
    await forgotten;
    expect(Double.made).toEqual([]);
    expect(users).toEqual([null]);
    client.setUser('ada');
    await come();
    expect(Double.made).toHaveLength(1);
    expect(Double.last.given).toMatchObject({ user: 'ada', lastEventId: undefined });
  });

  test('while it loads: reconnect() is a reason to connect too', async () => {
    const { client } = hold();
    client.forget();
    await come();
    expect(Double.made).toEqual([]);
    client.reconnect();
    await come();
    expect(Double.last.calls).toEqual(['start']);
  });

  test('and a user who signs in before the load is over: one is made, without the cursor', async () => {
    const { client } = hold({ lastEventId: 'e.1' });
    client.forget();
    client.setUser('bob');
    expect(client.getSnapshot().status).toBe('connecting');
    await come();
    expect(load).toHaveBeenCalledOnce();
    expect(Double.last.given).toMatchObject({ user: 'bob', lastEventId: undefined });
  });

  test('of a client without a holder does nothing, and the next one who holds it connects', async () => {
    const client = createClient({ url: '/events', lastEventId: 'e.1' });
    await client.forget();
    expect(load).not.toHaveBeenCalled();
    client.acquire();
    await come();
    expect(Double.last.given.lastEventId).toBeUndefined();
    expect(Double.last.calls).toEqual(['start']);
  });
});
