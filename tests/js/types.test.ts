// The types, compiled: with an app that registered its updates, and without. Every
// `@ts-expect-error` is an assertion too, since one that expects nothing is an error itself. In
// programs of their own, because registering speaks for a whole program.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The library's own files are read once for both programs. */
const files = new Map<string, ts.SourceFile | undefined>();

/**
 * The diagnostics of the compiler for this source, under the options of the repository or others.
 */
function compile(source: string, others: ts.CompilerOptions = {}): string[] {
  const file = join(root, 'tests', 'js', 'virtual.ts');
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source : readFile(name));
  host.getSourceFile = (name, ...rest) => {
    if (name === file) return ts.createSourceFile(name, source, ts.ScriptTarget.ES2022);
    if (!files.has(name)) files.set(name, getSourceFile(name, ...rest));
    return files.get(name);
  };
  const program = ts.createProgram([file], { ...options, noUnusedLocals: false, ...others }, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const line = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? -1;
    return `${diagnostic.file?.fileName.slice(root.length)}:${line + 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
  });
}

const head = `
import { createClient, type ClientStats, type Unsubscribe, type Pattern, type Update, type UpdateType } from 'tinysse';
import { updates } from 'tinysse/iterate';
import { useAutoRefetch, useSSEEvent, useSSEStatus } from 'tinysse/react';
import type { SWRResponse } from 'swr';
import type { UseQueryResponse } from 'urql';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;
const sse = createClient({ url: '/events' });
declare const query: { refetch(options?: { cancelRefetch?: boolean }): Promise<unknown>; isFetching: boolean; data: 7 };
declare const swr: SWRResponse<7>;
declare const urql: UseQueryResponse<7>;
`;

test('registered: names are checked, data is typed', () => {
  const source = `${head}
declare module 'tinysse' {
  interface Register {
    updates: { projects: undefined; 'compute.progress': { id: string; pct: number }; 'compute.a.b': 'deep' };
  }
}
holds<Same<UpdateType, 'projects' | 'compute.progress' | 'compute.a.b'>>();
holds<Same<Pattern, '*' | UpdateType | 'compute.*' | 'compute.a.*'>>();
sse.subscribe('compute.progress', (u) => {
  holds<Same<typeof u.data, { id: string; pct: number }>>();
  holds<Same<typeof u.type, 'compute.progress'>>();
});
sse.subscribe('compute.*', (u) => {
  if (u.type === 'compute.progress') u.data.pct.toFixed();
  else holds<Same<typeof u.data, 'deep'>>();
});
sse.subscribe(['projects', 'compute.a.*'], (u) => holds<Same<typeof u.type, 'projects' | 'compute.a.b'>>());
sse.subscribe('*', (u) => holds<Same<typeof u, Update>>());
async () => {
  for await (const u of updates(sse, 'compute.progress')) holds<Same<typeof u.data, { id: string; pct: number }>>();
  for await (const u of updates(sse, ['projects', 'compute.a.*'])) holds<Same<typeof u.type, 'projects' | 'compute.a.b'>>();
  // @ts-expect-error no such type
  updates(sse, 'project');
};
// @ts-expect-error no such type
sse.subscribe('project', () => {});
// @ts-expect-error nothing is below it
sse.subscribe('projects.*', () => {});
// @ts-expect-error one of the list is invalid
sse.subscribe(['projects', 'nope'], () => {});
holds<Same<ReturnType<typeof useAutoRefetch<typeof query, 'projects'>>, typeof query>>();
useAutoRefetch(query, 'projects').data satisfies 7;
useAutoRefetch(query, ['compute.progress'], { filter: (u) => u.data.pct === 100, fromThisTab: 'refetch', minIntervalMs: 1 });
// @ts-expect-error no such type
useAutoRefetch(query, 'project');
// @ts-expect-error no such data
useAutoRefetch(query, 'compute.progress', { filter: (u) => u.data.percent === 100 });
useAutoRefetch(swr, 'projects').data satisfies 7 | undefined;
useAutoRefetch(urql, 'projects', { enabled: true })[0].data satisfies 7 | undefined;
// @ts-expect-error urql does not show that it is paused
useAutoRefetch(urql, 'projects');
// @ts-expect-error nor without \`enabled\`
useAutoRefetch(urql, 'projects', { minIntervalMs: 1 });
// @ts-expect-error it is called without arguments
useAutoRefetch({ refetch: (id: number) => id }, 'projects');
// @ts-expect-error it cannot refetch
useAutoRefetch({ data: 1 }, 'projects');
useSSEEvent('compute.progress', (u) => u.data.id.length);
// @ts-expect-error no such type
useSSEEvent('compute.progres', () => {});
`;
  expect(compile(source)).toEqual([]);
}, 60_000);

test('unregistered: any name, unknown data; a map of one’s own by generic', () => {
  const source = `${head}
holds<Same<UpdateType, string>>();
holds<Same<Pattern, string>>();
sse.subscribe('anything', (u) => {
  holds<Same<typeof u.data, unknown>>();
  // @ts-expect-error unknown must be looked at first
  u.data.id;
});
sse.subscribe(['a', 'b.*', '*'], (u) => u.type.length);
useAutoRefetch(query, 'anything', { filter: (u) => u.data === 1 });
useSSEStatus((s) => s.status) satisfies 'idle' | 'connecting' | 'open' | 'reconnecting' | 'offline' | 'paused' | 'failed';
holds<Same<ReturnType<typeof sse.acquire>, Unsubscribe>>();
const release: () => void = sse.acquire({ signal: sse.signal });
{
  using off = sse.subscribe('a', () => {}, { signal: AbortSignal.timeout(1) });
  using status = sse.onStatus(() => {});
  using whole = createClient({ url: '/events' });
}
async () => {
  await using iterator = updates(sse, 'a', { limit: 5, overflow: 'latest', signal: sse.signal });
  holds<Same<Awaited<ReturnType<typeof iterator.next>>, IteratorResult<Update<'a'>, undefined>>>();
  for await (const u of updates(mine, 'b.*')) u.data.trim();
  // @ts-expect-error no such policy
  updates(sse, 'a', { overflow: 'drop-newest' });
  // @ts-expect-error no such type
  updates(mine, 'c');
  const detail: ClientStats = await sse.stats();
  detail.connects.glitch satisfies number;
  detail.latency.p95 satisfies number;
  // @ts-expect-error it is a look, nothing to change
  detail.refetchesSaved = 1;
};
createClient({ url: '/events', persist: true, user: 'ada', signal: sse.signal, log: ({ level, what }) => \`\${level} \${what}\` });
createClient({ url: '/events', persist: { key: 'mine', storage: localStorage }, token: () => ({ token: 't', user: 'ada' }) });
// @ts-expect-error no storage
createClient({ url: '/events', persist: { storage: {} } });
// @ts-expect-error no signal
sse.acquire({ signal: new AbortController() });
const mine = createClient<{ a: number; 'b.c': string }>({ url: '/events' });
mine.subscribe('a', (u) => u.data.toFixed());
mine.subscribe('b.*', (u) => u.data.trim());
// @ts-expect-error no such type
mine.subscribe('c', () => {});
useAutoRefetch(query, 'a', { client: mine });
useSSEStatus((s) => s.events, { client: mine }) satisfies number;
// @ts-expect-error a number of milliseconds
createClient({ url: '/events', closeDelay: '1s' });
createClient({ url: '/events', token: ({ reason, signal }) => (signal.aborted ? reason : { token: 't', expires_in: 60 }) });
// @ts-expect-error no token
createClient({ url: '/events', token: () => 7 });
`;
  expect(compile(source)).toEqual([]);
}, 60_000);

test('an app without `esnext.disposable` in its `lib`, and without Node, compiles it too', () => {
  const source =
    "import { createClient } from 'tinysse'; createClient({ url: '/events' }).acquire()[Symbol.dispose]();";
  const lib = ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'];
  expect(compile(source, { lib, types: [], skipLibCheck: false })).toEqual([]);
}, 60_000);
