// Imported before the client: records what the tab asks a stream for, and who its user is at that
// moment.

import { type Asked, subject } from './subject';

/** The state of the tab that the tests look at. */
export const tab = {
  current: null as string | null,
  asked: [] as Asked[],
};

function note(url: string, header?: string | null): void {
  if (!new URL(url, location.href).pathname.endsWith('/events')) return;
  const token = header?.replace(/^Bearer /, '') ?? new URL(url, location.href).searchParams.get('token');
  if (token) tab.asked.push({ user: subject(token), current: tab.current });
}

const Native = globalThis.EventSource;
globalThis.EventSource = class extends Native {
  constructor(url: string | URL, init?: EventSourceInit) {
    note(String(url));
    super(url, init);
  }
};

const send = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const request = input instanceof Request ? input : undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  note(request?.url ?? String(input), headers.get('authorization'));
  return send(input, init);
};
