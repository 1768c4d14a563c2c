// The examples in the documentation comments of js/, compiled as rustdoc's are.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { files } from './support/files.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What examples use without declaring it: the parts of an application. */
const application = `
declare module 'tinysse' {
  interface Register {
    updates: {
      projects: undefined; nodes: undefined; users: undefined; jobs: undefined; compute: undefined;
      'compute.progress': { id: string; percent: number };
    };
  }
}
declare global {
  const sse: import('tinysse').Client;
  const source: import('tinysse/eventsource').EventSource;
  const env: import('../../js/refetch/query.js').SchedulerEnv;
  const staleQuery: import('../../js/refetch/query.js').Query;
  const update: import('tinysse').Update;
  const result: { refetch(): Promise<unknown> };
  const session: { userId: string } | null;
  const auth: { onChange(fn: (session: { userId: string } | null) => void): void };
  const bar: { set(percent: number): void };
  const trpc: { projects: { getAll: { useQuery(): { data: string[]; refetch(): Promise<unknown> } } } };
  const query: { refetch(): Promise<unknown> };
  const queryClient: import('@tanstack/react-query').QueryClient;
  function useSWR(key: string, load: (key: string) => Promise<string>): import('swr').SWRResponse<string>;
  function useUrqlQuery(options: object): import('urql').UseQueryResponse<string>;
  const pause: boolean;
  const request: Request;
  function queryFn(): Promise<string>;
  function load(url: string): Promise<string>;
  function draw(update: import('tinysse').Update): Promise<void>;
  function store(update: import('tinysse').Update): Promise<void>;
  function getToken(): Promise<string>;
  function reload(): void;
  function report(numbers: object): void;
  function work(): Promise<void>;
  function setPercent(percent: number): void;
  function App(): import('react').ReactNode;
  function Projects(): import('react').ReactNode;
  const updateService: import('tinysse/server').UpdateService<ServerUpdates>;
  const worker: import('tinysse/server').BackgroundWorker<ServerUpdates>;
  const app: {
    use(handler: unknown): void;
    get(path: string, handler: (request: unknown, response: { json(value: unknown): void }) => void): void;
  };
  const job: { id: string; owner: string };
  const weather: { current(signal: AbortSignal): Promise<unknown> };
  const metrics: { lost: { inc(): void } };
  const claims: import('../../js/server/tokens/index.js').Claims;
  const payload: Uint8Array;
  const [secret, current, previous, pem, url, key]: [string, string, string, string, string, string];
  function startJob(): Promise<void>;
  function readFileSync(path: string, encoding: 'utf8'): string;
}
interface ServerUpdates {
  projects: undefined; orders: undefined; weather: unknown; progress: unknown;
  compute: { percent: number };
}
export {};
`;

/** Names that examples may use without an import, by the module that has them. */
const modules = {
  tinysse: ['createClient', 'SseError', 'isSseError', 'TokenProvider', 'Update'],
  'tinysse/iterate': ['updates'],
  'tinysse/react': ['SSEProvider', 'useAutoRefetch', 'useSSEEvent', 'useSSEStatus', 'useSSEUpdates'],
  'tinysse/eventsource': ['EventSource'],
  'tinysse/trpc': ['trpcEventSource'],
  'tinysse/server': ['createHub', 'createRemote', 'BackgroundWorker', 'isHubError', 'originOf', 'redis'],
  '../../js/server/tokens/keys.js': ['loadKeys'],
  '../../js/server/tokens/key-options.js': ['checkKeys'],
  '@tanstack/react-query': ['QueryClient', 'QueryClientProvider', 'useQuery'],
  '@trpc/client': ['httpSubscriptionLink'],
};

interface Example {
  readonly name: string;
  readonly source: string;
}

/** Returns the examples of a file, each as a module. */
function examplesOf(path: string): Example[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(/^( *\* )```tsx?\n([\s\S]*?)^ *\* ```/gm)].map(({ index, 2: body = '' }) => {
    const line = text.slice(0, index).split('\n').length;
    const code = body.replace(/^ *\* ?/gm, '');
    const inside = relative('tests/js', path).replace(/\.tsx?$/, '.js');
    const exported = [...text.matchAll(/^export (?:class|(?:async )?function|const) (\w+)/gm)].map(
      ([, name]) => name as string,
    );
    const available = { ...modules, [inside]: exported };
    const seen = new Set<string>();
    const imports = Object.entries(available).map(([module, names]) => {
      const wanted = names.filter((name) => {
        const used = new RegExp(`(?<![.\\w'])${name}\\b`).test(code);
        const own = new RegExp(
          `(class|function|const) ${name}\\b|const \\{[^}]*\\b${name}\\b|import \\{[^}]*\\b${name}\\b`,
        ).test(code);
        return used && !own && !seen.has(name) && seen.add(name);
      });
      return wanted.length > 0 ? `import { ${wanted.join(', ')} } from '${module}';` : '';
    });
    // What hooks do is inside a component; the rest may wait at the top level.
    const component = /^return /m.test(code);
    const source = [...imports, component ? `export function Example() {\n${code}}` : code, 'export {};'].join('\n');
    return { name: `${path}:${line}`, source };
  });
}

/** Compiles modules together; returns what is wrong with each example. */
function compile(sources: Map<string, string>): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  host.readFile = (name) => sources.get(name) ?? readFile(name);
  host.getSourceFile = (name, ...rest) => {
    const source = sources.get(name);
    return source === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, source, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram(
    [...sources.keys()],
    {
      ...options,
      noUnusedLocals: false,
      verbatimModuleSyntax: false,
      isolatedModules: false,
    },
    host,
  );
  return [...sources.keys()].flatMap((name) => {
    const file = program.getSourceFile(name);
    const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return diagnostics
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
      .map((text) => `${name}: ${text}`);
  });
}

const examples = [...files('.ts'), ...files('.tsx')].filter((path) => path.startsWith('js/')).flatMap(examplesOf);

test('every example in a documentation comment compiles', () => {
  expect(examples.length).toBeGreaterThan(25);
  const sources = new Map([[join(root, 'tests/js/application.ts'), application]]);
  const names = new Map<string, string>();
  for (const [at, { name, source }] of examples.entries()) {
    // It declares the updates of a whole program, which here are the application's.
    if (/declare module 'tinysse'/.test(source)) continue;
    const file = join(root, `tests/js/example-${at}.tsx`);
    names.set(file, name);
    sources.set(file, source);
  }
  const wrong = compile(sources).map((text) => text.replace(/^[^:]*/, (file) => names.get(file) ?? file));
  expect(wrong).toEqual([]);
}, 60_000);

test('an example that does not compile is found', () => {
  const broken = new Map([
    [
      join(root, 'tests/js/broken.ts'),
      "import { createClient } from 'tinysse';\ncreateClient({ adress: '/' });\nexport {};",
    ],
  ]);
  expect(compile(broken).join()).toContain('adress');
}, 60_000);
