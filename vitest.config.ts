import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tinysse$/, replacement: here('./js/index.ts') },
      { find: /^tinysse\/iterate$/, replacement: here('./js/iterate.ts') },
      { find: /^tinysse\/react$/, replacement: here('./js/react/index.ts') },
      { find: /^tinysse\/eventsource$/, replacement: here('./js/eventsource/index.ts') },
      { find: /^tinysse\/trpc$/, replacement: here('./js/trpc.ts') },
    ],
  },
  test: {
    include: ['tests/js/**/*.test.{ts,tsx}'],
    // Files that render name jsdom in their first line; the rest must do without a page.
    environment: 'node',
    restoreMocks: true,
    unstubGlobals: true,
  },
});
