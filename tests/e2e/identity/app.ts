// The login and logout of an application, in the three ways in which a tab can know its user.
import { type Client, createClient } from 'tinysse';
import { tab } from './watch';

/**
 * How a tab knows its user.
 *
 * - `user`: one user for all tabs, in `localStorage`; the client is given it by `setUser`.
 * - `token`: the same, but the client takes it from the token, and is only asked to forget.
 * - `tab`: each tab has a user of its own, whom the token provider names by a query.
 */
export type Identity = 'user' | 'token' | 'tab';

/** A private update as the application received it. */
export interface Delivery {
  /** To whom it was addressed. */
  readonly user: string;
  readonly n: number;
  /** The current user of the tab at that moment. */
  readonly current: string | null;
}

const query = new URLSearchParams(location.search);
const text = (name: string) => query.get(name) ?? undefined;
const identity = (text('identity') ?? 'user') as Identity;
const hub = text('hub') ?? '';
const name = text('tab') ?? '';
const stored = 'user';

/** What the tests read, and what they call. */
export const app = {
  deliveries: [] as Delivery[],
  /** When the tab had which user, in milliseconds since 1970. */
  changes: [{ at: Date.now(), user: null as string | null }],
  questions: 0,
  errors: [] as { code: string; status: number | undefined }[],
  tab,
  logIn,
  logOut,
};

/** As in README: at module level, once. */
export const sse: Client = createClient({
  url: `${hub}/events`,
  transport: text('transport') === 'fetch' ? 'fetch' : 'eventsource',
  share: text('share') === 'off' ? 'off' : 'auto',
  persist: query.has('persist'),
  async token({ signal }) {
    app.questions += 1;
    const begun = era;
    const answer = await (identity === 'tab' ? backend('token', signal) : ask('/auth/sse-token', {}, signal));
    if (identity === 'token' && begun === era && !signal.aborted) become(answer.user);
    return answer;
  },
});

/** Records a private update. */
export function received({ user, n }: Pick<Delivery, 'user' | 'n'>): void {
  app.deliveries.push({ user, n, current: tab.current });
}
sse.subscribe('private', ({ data }) => received(data as Delivery));
sse.onError(({ code, status }) => app.errors.push({ code, status }));

/**
 * Another one whenever a user logs in or out: answers to older questions do not concern the current
 * user.
 */
let era = 0;

function become(user: string | null): void {
  tab.current = user;
  app.changes.push({ at: Date.now(), user });
}

/** Changes the user of this tab, after the login. */
function follow(user: string | null): void {
  era += 1;
  if (identity === 'token') {
    become(null);
    void sse.forget();
    if (user !== null) sse.reconnect();
  } else {
    become(user);
    sse.setUser(user);
  }
}

/** Logs this tab in, or all of them. A user who is logged in is replaced, without a logout. */
async function logIn(user: string): Promise<void> {
  await (identity === 'tab' ? backend(`login&user=${user}`) : ask('/auth/login', { user }));
  // Each login is an event of its own in the other tab, also one as the same user: forget() ended
  // its connection, too.
  if (identity !== 'tab') localStorage.setItem(stored, `${crypto.randomUUID()} ${user}`);
  follow(user);
}

/** Logs out; `first` is who is notified first. */
async function logOut(first: 'server' | 'client'): Promise<void> {
  const server = () => (identity === 'tab' ? backend('logout') : ask('/auth/logout', {}));
  if (first === 'server') await server();
  era += 1;
  become(null);
  const forgotten = sse.forget();
  if (identity !== 'token') sse.setUser(null);
  if (identity !== 'tab') localStorage.removeItem(stored);
  await forgotten;
  if (first === 'client') await server();
}

addEventListener('storage', ({ key, newValue }) => {
  if (key === stored && identity !== 'tab') follow(newValue?.slice(newValue.indexOf(' ') + 1) ?? null);
});

/** Asks the hub, with the cookie. */
async function ask(path: string, body: object, signal: AbortSignal | null = null) {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', credentials: 'include', headers, body: JSON.stringify(body), signal } as const;
  return answerOf(await fetch(`${hub}${path}`, init));
}

/** Asks the site, which keeps a session for each tab. */
const backend = async (what: string, signal: AbortSignal | null = null) =>
  answerOf(await fetch(`/session?tab=${name}&do=${what}`, { method: 'POST', signal }));

async function answerOf(response: Response) {
  if (!response.ok) throw Object.assign(new Error('refused'), { status: response.status });
  return response.status === 204 ? undefined : response.json();
}

declare global {
  interface Window {
    app: typeof app;
    client: Client;
  }
}
window.app = app;
window.client = sse;
