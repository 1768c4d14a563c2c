// Makes every `react` and `react-dom` of this process 18.3, in our sources and in the packages
// alike: the libraries accept both, so one installation of them serves both projects. A setup file
// of the Vitest project `react-18`.
import Module, { register } from 'node:module';

const react = /[/\\]node_modules[/\\](react|react-dom)(?=[/\\])/;

const find = Module._resolveFilename;
Module._resolveFilename = function (...args) {
  return find.apply(this, args).replace(react, (path) => `${path}-18`);
};

const hooks = `
  const react = /\\/node_modules\\/(react|react-dom)(?=\\/)/;
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    return { ...found, url: found.url.replace(react, (path) => path + '-18') };
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
