// The configuration of the unit tests.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tinysse$/, replacement: here('./js/index.ts') },
      { find: /^tinysse\/iterate$/, replacement: here('./js/client/iterate.ts') },
      { find: /^tinysse\/react$/, replacement: here('./js/react/index.ts') },
      { find: /^tinysse\/eventsource$/, replacement: here('./js/eventsource/index.ts') },
      { find: /^tinysse\/trpc$/, replacement: here('./js/trpc/index.ts') },
      { find: /^tinysse\/server$/, replacement: here('./js/server/index.ts') },
    ],
  },
  test: {
    // Files that render name jsdom in their first line; the rest must do without a page.
    environment: 'node',
    projects: [
      { extends: true, test: { name: 'js', include: ['tests/js/**/*.test.{ts,tsx}'] } },
      {
        extends: true,
        test: {
          name: 'react-18',
          include: ['tests/js/libraries/*.test.tsx'],
          setupFiles: [here('./tests/js/libraries/react-18.mjs')],
        },
      },
      { extends: true, test: { name: 'hubs', include: ['tests/hubs/**/*.test.ts'], testTimeout: 30_000 } },
    ],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
