// Every public declaration of js/, and every member of one, has a documentation comment, as
// `missing_docs` demands of Rust.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const entries = [
  'js/index.ts',
  'js/client/iterate.ts',
  'js/react/index.ts',
  'js/eventsource/index.ts',
  'js/trpc/index.ts',
  'js/server/index.ts',
];

const isDocumented = (node: ts.Node) => ts.getJSDocCommentsAndTags(node).length > 0;

/** Returns true for a member that an application can name: neither private nor a symbol. */
function isPublic(member: ts.ClassElement | ts.TypeElement): boolean {
  if (!member.name || ts.isPrivateIdentifier(member.name) || ts.isComputedPropertyName(member.name)) return false;
  return !ts.isConstructorDeclaration(member);
}

/** Returns what a declaration lacks: itself, or members without a comment. */
function missing(declaration: ts.Declaration, name: string): string[] {
  const owner = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const lacks = isDocumented(owner) ? [] : [name];
  if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) return lacks;
  const members: readonly (ts.ClassElement | ts.TypeElement)[] = declaration.members;
  const bare = members.filter((member) => isPublic(member) && !isDocumented(member));
  return [...lacks, ...bare.map((member) => `${name}.${member.name?.getText()}`)];
}

/** Returns the public names of these modules that have no comment, as `Name` or `Name.member`. */
function undocumented(paths: readonly string[]): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const program = ts.createProgram(paths, options);
  const checker = program.getTypeChecker();
  const found = paths.flatMap((path) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path) as ts.SourceFile) as ts.Symbol;
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const declarations = symbol.declarations ?? [];
      // Of a function with several signatures, one comment describes all.
      if (symbol.flags & ts.SymbolFlags.Function && declarations.some(isDocumented)) return [];
      return declarations.flatMap((declaration) => missing(declaration, symbol.name));
    });
  });
  return [...new Set(found)].sort();
}

test('every public declaration and member is documented', () => {
  expect(undocumented(entries.map((path) => join(root, path)))).toEqual([]);
}, 60_000);

test('what has no comment is found', () => {
  const fixture = join(root, 'tests', 'js', 'support', 'undocumented.ts');
  expect(undocumented([fixture])).toEqual(['Bare', 'Bare.member', 'bare']);
}, 60_000);
