// The lists of the server and the requests that change them.
import { request } from './http';
import { sse } from './sse';

/** A project, as the list shows it. */
export interface Project {
  id: string;
  name: string;
  /** Milliseconds since 1970; 0 if nobody touched it yet. */
  updatedAt: number;
  /** Who touched it last. */
  by: string;
}

/** A compute instance. */
export interface Instance extends Project {
  state: 'running' | 'stopped';
}

/** The last answer of the polled API. */
export interface ProgressValue {
  step: number;
  percent: number;
  label: string;
}

/** The value with its freshness: `stale` means that the API does not answer and this is the last known one. */
export interface Progress {
  data: ProgressValue | null;
  stale: boolean;
  ageMs: number | null;
}

/** The collections of the server. Their names are also query keys and update types. */
export interface Lists {
  projects: Project;
  compute: Instance;
}
export type ListName = keyof Lists;

export const list = async <L extends ListName>(name: L, signal: AbortSignal): Promise<Lists[L][]> =>
  (await request<{ data: Lists[L][] }>(`/api/${name}`, { signal })).data;

export const progress = (signal: AbortSignal) => request<Progress>('/api/progress', { signal });

export const create = (name: ListName, item: { name: string }) => change('POST', `/api/${name}`, item);

export const update = (name: ListName, id: string, item: { name?: string; state?: Instance['state'] }) =>
  change('PATCH', `/api/${name}/${encodeURIComponent(id)}`, item);

export const remove = (name: ListName, id: string) => change('DELETE', `/api/${name}/${encodeURIComponent(id)}`);

/** The header names the client that makes the change, so that this tab does not fetch its own change twice. */
const change = (method: string, path: string, json?: unknown) =>
  request<unknown>(path, { method, json, headers: { 'x-tinysse-origin': sse.origin } });

/** What only a server started with `--dev` answers: the ways to break things on purpose. */
export const dev = {
  expire: (client: string) => request('/dev/expire', { method: 'POST', json: { client } }),
  cut: (client: string) => request('/dev/cut', { method: 'POST', json: { client } }),
  /** Without the origin of this tab, so that the page takes them for another client's. */
  storm: (count: number) => request('/dev/notify', { method: 'POST', json: { type: 'projects', count } }),
};
