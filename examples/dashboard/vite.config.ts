// Builds the live page from the built package, as an app that installed it would: `npm run build` first makes pkg/.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.TINYSSE_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  root: here('.'),
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^tinysse\/react$/, replacement: here('../../pkg/react/index.js') },
      { find: /^tinysse$/, replacement: here('../../pkg/index.js') },
    ],
    // pkg/ lies beside the app, not in its node_modules: two copies of React would be two worlds of hooks.
    dedupe: ['react', 'react-dom'],
  },
  build: { outDir: here('dist'), emptyOutDir: true, target: 'es2022', reportCompressedSize: false },
  // Only for working on the page itself: `npx vite --config examples/dashboard/vite.config.ts` beside a running server.
  server: {
    fs: { allow: [here('../..')] },
    proxy: Object.fromEntries(['/api', '/auth', '/dev', '/events'].map((path) => [path, { target: server }])),
  },
});
