export default {
  base: './',
  logLevel: 'warn',
  build: { rollupOptions: { input: ['main.html', 'url.html', 'react.html'] } },
  oxc: { jsx: { runtime: 'automatic' } },
};
