// Builds the page from the built package, as an app that installed it would: `npm run build` first makes pkg/.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^tinysse\/react$/, replacement: here('../../pkg/react/index.js') },
      { find: /^tinysse$/, replacement: here('../../pkg/index.js') },
    ],
    dedupe: ['react', 'react-dom'],
  },
  build: { outDir: here('dist'), emptyOutDir: true, target: 'es2022', reportCompressedSize: false },
});
