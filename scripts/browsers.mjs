// `npm test -- --only browsers`: the shipped code asks nothing of a browser that a supported one
// lacks; `js/server` runs in no browser. Each use of a web API is resolved by TypeScript's type
// checker, so methods of instances are seen too, and looked up in MDN's browser-compat-data.
//   node scripts/browsers.mjs --needs   what each supported version is needed for
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import ts from 'typescript';
import { main, Stop, say } from './lib/log.mjs';
import { at, root } from './lib/paths.mjs';

/** The oldest browsers that are supported, as documented in README. */
export const supported = {
  chrome: '98',
  chrome_android: '98',
  edge: '98',
  firefox: '97',
  firefox_android: '97',
  safari: '15.4',
  safari_ios: '15.4',
};

/** Newer than that, and used only where it is there. */
const optional = {
  'javascript.builtins.Symbol.dispose': 'where it is missing, `using` is missing too',
  'javascript.builtins.Symbol.asyncDispose': 'where it is missing, `await using` is missing too',
};

const data = createRequire(import.meta.url)('@mdn/browser-compat-data');

/**
 * The places in MDN's data that may describe a member of an interface, or a global if there is no
 * interface.
 */
function* places(owner, member, isStatic, receiver) {
  const names = member ? (isStatic ? [`${member}_static`, member] : [member, `${member}_static`]) : [owner];
  const type = owner.replace(/^Readonly(?=Array|Map|Set)/, '').replace(/(Constructor|OrWorkerGlobalScope|Base)$/, '');
  const types = [owner, type, receiver, 'Window', 'WorkerGlobalScope', 'HTMLElement', 'Element', 'Node'];
  for (const name of names) {
    if (!member) {
      yield `api.${name}`;
      yield `javascript.builtins.${name}`;
    }
    for (const one of member ? types : [owner]) {
      yield `api.${one}.${name}`;
      yield `javascript.builtins.${one}.${name}`;
    }
  }
  if (member) yield `api.${member}`; // functions of the global scope
}

const find = (place) => place.split('.').reduce((node, name) => node?.[name], data)?.__compat;

/**
 * What MDN documents of it. The lib files of TypeScript have mixins where MDN has the interfaces
 * that include them, so the receiver's type counts too.
 */
function describe(owner, member, isStatic, receiver) {
  for (const place of places(owner, member, isStatic, receiver)) {
    const compat = find(place);
    if (compat) return { place, compat };
  }
  return undefined;
}

const number = (version) => version.split('.').map(Number);

function later(a, b) {
  const [x, y] = [number(a), number(b)];
  return x[0] - y[0] || (x[1] ?? 0) - (y[1] ?? 0);
}

/**
 * The version since which a browser has it, without a flag or another name; undefined if it has
 * not.
 */
function since(compat, browser) {
  const statements = [compat.support[browser] ?? []].flat();
  const plain = statements.find((one) => one.version_added && !one.flags && !one.prefix && !one.alternative_name);
  if (!plain || plain.version_removed) return undefined;
  return plain.version_added === 'preview' ? undefined : plain.version_added.replace('≤', '');
}

/** The interface and the name of what a declaration in a lib file declares. */
function declared(declaration) {
  const name = declaration.name?.getText?.() ?? '';
  const { parent } = declaration;
  if (ts.isInterfaceDeclaration(parent)) return [parent.name.text, name, /Constructor$/.test(parent.name.text)];
  if (ts.isTypeLiteralNode(parent) && ts.isVariableDeclaration(parent.parent))
    return [parent.parent.name.getText(), name, true];
  if (ts.isModuleBlock(parent)) return [parent.parent.name.getText(), name, true]; // namespaces, as WebAssembly
  return [name, undefined, false];
}

function* uses(program, file) {
  const checker = program.getTypeChecker();
  const visit = function* (node) {
    // Types vanish, and so do properties that are written in object literals, unless they are read
    // somewhere.
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isIdentifier(node) && !ts.isPropertyAssignment(node.parent)) {
      const symbol = checker.getSymbolAtLocation(node);
      const declarations =
        symbol?.declarations?.filter((one) => program.isSourceFileDefaultLibrary(one.getSourceFile())) ?? [];
      const value = declarations.find((one) => !ts.isInterfaceDeclaration(one) && !ts.isTypeAliasDeclaration(one));
      const { expression } = ts.isPropertyAccessExpression(node.parent) ? node.parent : {};
      const receiver = expression && expression !== node && checker.getTypeAtLocation(expression).symbol?.name;
      if (value) yield { node, names: [...declared(value), receiver] };
    }
    for (const child of node.getChildren(file)) yield* visit(child);
  };
  yield* visit(file);
}

function programs() {
  return ['tsconfig.build.json', 'tsconfig.page.json'].map((name) => {
    const host = {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (problem) => {
        throw new Stop(String(problem.messageText));
      },
    };
    const { fileNames, options } = ts.getParsedCommandLineOfConfigFile(at(name), { noEmit: true }, host);
    return { program: ts.createProgram(fileNames, options), files: new Set(fileNames) };
  });
}

/** Each use of a web API in some files, with what MDN documents of it. */
export function* look({ program, files }) {
  for (const file of program.getSourceFiles()) {
    if (!files.has(file.fileName) || file.isDeclarationFile || file.fileName.startsWith(at('js', 'server'))) continue;
    for (const { node, names } of uses(program, file)) {
      const found = describe(...names);
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      if (found) yield { ...found, where: `${relative(root, file.fileName)}:${line + 1}` };
    }
  }
}

/** The supported browsers that lack an API. */
export function lacking({ place, compat }) {
  return Object.entries(supported).flatMap(([browser, oldest]) => {
    const version = since(compat, browser);
    return version && later(version, oldest) <= 0
      ? []
      : [`${place} needs ${browser} ${version ?? '(not at all)'}, and ${oldest} is supported`];
  });
}

export function checkBrowsers({ needs = false } = {}) {
  const broken = new Set();
  const unused = new Set(Object.keys(optional));
  const newest = new Map();
  const found = programs().flatMap((one) => [...look(one)]);
  for (const use of found) {
    if (Object.hasOwn(optional, use.place)) {
      unused.delete(use.place);
      continue;
    }
    for (const problem of lacking(use)) broken.add(`${use.where}: ${problem}`);
    for (const browser of Object.keys(supported)) {
      const version = since(use.compat, browser);
      const known = newest.get(browser);
      if (version && (!known || later(version, known.version) > 0)) newest.set(browser, { version, place: use.place });
    }
  }
  for (const place of unused) broken.add(`${place} is listed as optional, and nothing uses it`);
  if (needs) {
    for (const [browser, { version, place }] of newest)
      console.log(`${browser.padEnd(16)}${version.padEnd(8)}${place}`);
  }
  if (found.length < 200) throw new Stop(`only ${found.length} uses of web APIs were found: the lookup is broken`);
  if (broken.size > 0) throw new Stop(`web APIs that supported browsers lack:\n  ${[...broken].join('\n  ')}`);
  say(`${found.length} uses of web APIs: every supported browser has them`);
}

await main(import.meta.url, async () => checkBrowsers({ needs: process.argv.includes('--needs') }));
