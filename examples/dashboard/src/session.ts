// The signed-in user: login, logout, and who it is.
import { useQuery } from '@tanstack/react-query';
import { HttpError, request } from './http';
import { storage } from './storage';

/** Who uses the page. The session itself is an HttpOnly cookie that no script can read. */
export interface Person {
  user: string;
  role: string;
}

/** The entry of `localStorage` with the last user; it changes in every tab of the browser, as the cookie does. */
export const REMEMBERED = 'tinysse.user';
/** The query key of the person. */
export const SESSION = 'session';

let first: Promise<Person | null> | undefined;

/** Settles once it is known who uses the page. */
export function ready(): Promise<Person | null> {
  first ??= begin().catch((error: unknown) => {
    first = undefined;
    throw error;
  });
  return first;
}

/**
 * `?user=bob&role=admin` signs in as bob; else the session that is there goes on; else the last name, or `ada` on the first
 * visit: the page is alive at once.
 */
async function begin(): Promise<Person | null> {
  const query = new URLSearchParams(location.search);
  const user = query.get('user');
  if (user) return login({ user, role: query.get('role') ?? '' });
  const last = remembered();
  if (last) return (await me()) ?? login(last);
  return (await login({ user: 'ada', role: 'member' })) ?? me();
}

/** Nobody: 401. */
const me = () => orNull(request<Person>('/auth/me'), 401);

/** Without `--dev` a server has no development sign-in: 404. */
const login = (person: Person) => orNull(signIn(person), 404);

/** The development sign-in: no password. From then on {@link ready} answers this person. */
export async function signIn(person: Person): Promise<Person> {
  const json = person.role ? person : { user: person.user };
  const signedIn = await request<Person>('/auth/login', { method: 'POST', json });
  storage.set(REMEMBERED, JSON.stringify({ user: signedIn.user, role: signedIn.role }));
  first = Promise.resolve(signedIn);
  return signedIn;
}

/** Ends the session at the server, with its streams. From then on {@link ready} answers nobody. */
export async function signOut(): Promise<void> {
  await orNull(request('/auth/logout', { method: 'POST' }), 401); // 401: it was over already
  storage.set(REMEMBERED, null);
  first = Promise.resolve(null);
}

/** Another tab signed in or out: from then on {@link ready} answers the user of that tab, whose cookie this tab has too. */
export function adopted(): Person | null {
  const person = remembered();
  first = Promise.resolve(person);
  return person;
}

function remembered(): Person | null {
  try {
    const { user, role }: Partial<Person> = JSON.parse(storage.get(REMEMBERED) ?? '{}');
    return user ? { user, role: role ?? '' } : null;
  } catch {
    // Not ours: begin anew.
    return null;
  }
}

/** `null` for the one status that is an answer too. */
async function orNull<T>(answer: Promise<T>, status: number): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HttpError && error.status === status) return null;
    throw error;
  }
}

/** The person, `null` when nobody is signed in, undefined while it is not known. */
export function useSession() {
  // A server that is away is asked until it is back: without an answer the page connects as nobody.
  const retry = (_: number, error: Error) => !(error instanceof HttpError && error.status < 500);
  return useQuery({ queryKey: [SESSION], queryFn: ready, retry });
}
