// The Vite configuration of the packaging test.
export default {
  base: './',
  logLevel: 'warn',
  build: { rollupOptions: { input: ['main.html', 'url.html', 'react.html', 'more.html', 'source.html'] } },
  oxc: { jsx: { runtime: 'automatic' } },
};
