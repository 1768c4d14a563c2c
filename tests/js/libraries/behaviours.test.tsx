// @vitest-environment jsdom
// useAutoRefetch around every query library it knows, with their real packages, in StrictMode: one
// table of requests. The project `react-18` runs it once more on React 18.3.
import './clock.js';
import { version as react } from 'react';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { libraries as apollo3 } from './adapters/apollo-3.js';
import { libraries as apollo4 } from './adapters/apollo-4.js';
import { libraries as rtkQuery } from './adapters/rtk-query.js';
import { libraries as swr } from './adapters/swr.js';
import { libraries as tanstack } from './adapters/tanstack.js';
import { libraries as trpc } from './adapters/trpc.js';
import { libraries as urql } from './adapters/urql.js';
import { Bench } from './bench.js';

/** What the test does, the requests it must cost, and what the screen shows in the end. */
interface Behaviour {
  readonly column: string;
  readonly requests: number;
  readonly shown: string[];
  act(bench: Bench): Promise<number>;
}

const behaviours: Record<string, Behaviour> = {
  'three components that mount make one request': {
    column: 'mount',
    requests: 1,
    shown: ['v1', 'v1', 'v1'],
    act: (bench) => bench.count(() => bench.show({ rows: 3 })),
  },
  'an update makes one request for three components, and none later': {
    column: 'update',
    requests: 1,
    shown: ['v2', 'v2', 'v2'],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      const requests = await bench.count(() => bench.change());
      return requests + (await bench.count(() => bench.pass(15_000)));
    },
  },
  'a storm of 100 updates in a second makes five requests': {
    column: 'storm',
    requests: 5,
    shown: ['v101', 'v101', 'v101'],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      return bench.count(async () => {
        for (let i = 0; i < 100; i++) {
          bench.change();
          await bench.pass(10);
        }
      });
    },
  },
  'an update during the first fetch makes one more, and is not lost': {
    column: 'first fetch',
    requests: 2,
    shown: ['v2', 'v2', 'v2'],
    act: (bench) =>
      bench.count(async () => {
        bench.delay = 200;
        await bench.show({ rows: 3 });
        await bench.pass(100);
        bench.change();
      }),
  },
  'an update during a fetch of other code makes one more, and is not lost': {
    column: 'other fetch',
    requests: 2,
    shown: ['v2', 'v2', 'v2'],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      return bench.count(async () => {
        bench.delay = 200;
        void bench.app.fetch?.('a');
        await bench.pass(100);
        bench.change();
      });
    },
  },
  'a query that was never switched on is not run, neither at the first open nor at an update': {
    column: 'off',
    requests: 0,
    shown: ['none', 'none', 'none'],
    act: (bench) =>
      bench.count(async () => {
        await bench.show({ rows: 3, on: false });
        bench.sse.resync('first');
        await bench.pass(1000);
        bench.change();
      }),
  },
  'a query that is switched on after an update it never saw makes one request': {
    column: 'first on',
    requests: 1,
    shown: ['v2', 'v2', 'v2'],
    act: async (bench) => {
      await bench.show({ rows: 3, on: false });
      await bench.count(() => bench.change());
      return bench.count(() => bench.show({ on: true }));
    },
  },
  'a query that is switched off over its data is not run': {
    column: 'off again',
    requests: 0,
    shown: [],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      await bench.count(() => bench.show({ on: false }));
      return bench.count(() => bench.change());
    },
  },
  'a query that is switched on again after a missed update makes one request': {
    column: 'on again',
    requests: 1,
    shown: ['v2', 'v2', 'v2'],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      await bench.count(() => bench.show({ on: false }));
      await bench.count(() => bench.change());
      return bench.count(() => bench.show({ on: true }));
    },
  },
  'a key whose data is older than an update makes one request, and the key that is gone none': {
    column: 'key',
    requests: 1,
    shown: ['v2', 'v2', 'v2'],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      await bench.count(() => bench.show({ name: 'b' }));
      await bench.count(() => bench.change());
      return bench.count(() => bench.show({ name: 'a' }));
    },
  },
  'a component that mounts over data that is older than an update makes one request': {
    column: 'remount',
    requests: 1,
    shown: ['v2', 'v2', 'v2'],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      await bench.show({ rows: 0 });
      await bench.pass(100);
      bench.change();
      await bench.pass(100);
      return bench.count(() => bench.show({ rows: 3 }));
    },
  },
  'nothing is fetched after the unmount, not even what was due': {
    column: 'unmount',
    requests: 0,
    shown: [],
    act: async (bench) => {
      await bench.count(() => bench.show({ rows: 3 }));
      return bench.count(async () => {
        bench.change();
        await bench.show({ rows: 0 });
        bench.change();
      });
    },
  },
};

const libraries = [...tanstack, ...trpc, ...rtkQuery, ...swr, ...apollo3, ...apollo4, ...urql];
const table = new Map(libraries.map(({ name }) => [name, new Map<string, number>()]));

let bench: Bench;

describe.each(libraries.map((library) => [library.name, library] as const))('%s', (name, library) => {
  beforeEach(() => {
    bench = new Bench(library);
  });
  afterEach(() => bench.end());

  test.each(Object.entries(behaviours))('%s', async (_, { column, requests, shown, act }) => {
    const made = await act(bench);
    table.get(name)?.set(column, made);
    expect(made).toBe(library.costs?.[column] ?? requests);
    if (shown.length > 0) expect(bench.shown).toEqual(shown);
  });
});

afterAll(() => {
  const columns = Object.values(behaviours).map(({ column }) => column);
  const lines = [...table].map(([name, row]) =>
    [name.padEnd(64), ...columns.map((column) => String(row.get(column) ?? '-').padStart(column.length))].join('  '),
  );
  console.info([`React ${react}: requests`.padEnd(64).concat('  ', columns.join('  ')), ...lines].join('\n'));
});
