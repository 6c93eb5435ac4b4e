/** Reads TypeScript sources into what the rules of the architecture look at: imports, exports and lengths. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** Texts of source files by their path from the root, such as `src/core/errors.ts`. */
export type Sources = Readonly<Record<string, string>>;

export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Names that the file exports. */
  readonly exports: readonly string[];
  /** Specifiers of `export ... from`. */
  readonly reexports: readonly string[];
  readonly lines: number;
}

export interface Import {
  /** As written; the file of a `new URL(file, import.meta.url)` always begins with a dot. */
  readonly specifier: string;
  /** Imported names; none if the file is only run, as by a URL. */
  readonly names: readonly string[] | 'all';
}

/** Reads all TypeScript files below a directory of the root. */
export function readSources(root: string, directory: string): Sources {
  const entries = readdirSync(join(root, directory), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => posix.relative(root, join(entry.parentPath, entry.name)));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

export function readModules(sources: Sources): Module[] {
  return Object.entries(sources).map(([path, text]) => readModule(path, text));
}

/** Returns the path of the file that a relative import names; null for a package. */
export function targetOf(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
}

function readModule(path: string, text: string): Module {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const reexports: string[] = [];
  const visit = (node: ts.Node): void => {
    imports.push(...importsOf(node));
    if (ts.isExportDeclaration(node) && isText(node.moduleSpecifier))
      reexports.push(node.moduleSpecifier.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, imports, exports: file.statements.flatMap(exportedNames), reexports, lines };
}

function importsOf(node: ts.Node): Import[] {
  const one = (specifier: ts.Node | undefined, names: Import['names']): Import[] =>
    isText(specifier) ? [{ specifier: specifier.text, names }] : [];
  if (ts.isImportDeclaration(node)) return one(node.moduleSpecifier, importedNames(node.importClause));
  if (ts.isExportDeclaration(node)) return one(node.moduleSpecifier, 'all');
  if (ts.isExternalModuleReference(node)) return one(node.expression, 'all');
  // `declare module 'x'` adds to the types of a package.
  if (ts.isModuleDeclaration(node)) return one(node.name, 'all');
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return one(node.arguments[0], 'all');
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const name = node.qualifier === undefined ? undefined : firstName(node.qualifier);
    return one(node.argument.literal, name === undefined ? 'all' : [name]);
  }
  return ts.isNewExpression(node) ? urlImports(node) : [];
}

/**
 * Reads `new URL('x.ts', import.meta.url)`, by which a thread or process is started. The extension may be a part of a
 * template that ends in another expression: it is `.ts` in the sources.
 */
function urlImports({ expression, arguments: given }: ts.NewExpression): Import[] {
  const [file, base] = given ?? [];
  if (expression.getText() !== 'URL' || base?.getText() !== 'import.meta.url' || file === undefined)
    return [];
  let path: string | null = null;
  if (isText(file)) path = file.text;
  else if (ts.isTemplateExpression(file) && file.templateSpans.length === 1) path = `${file.head.text}.ts`;
  if (path?.endsWith('.ts') !== true) return [];
  return [{ specifier: path.startsWith('.') ? path : `./${path}`, names: [] }];
}

function isText(node: ts.Node | undefined): node is ts.StringLiteralLike {
  return node !== undefined && ts.isStringLiteralLike(node);
}

function importedNames(clause: ts.ImportClause | undefined): Import['names'] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : ['default'];
  if (clause.namedBindings === undefined) return names;
  if (ts.isNamespaceImport(clause.namedBindings)) return 'all';
  return [
    ...names,
    ...clause.namedBindings.elements.map((element) => (element.propertyName ?? element.name).text),
  ];
}

function firstName(name: ts.EntityName): string {
  return ts.isIdentifier(name) ? name.text : firstName(name.left);
}

function exportedNames(statement: ts.Statement): string[] {
  if (ts.isExportAssignment(statement)) return ['default'];
  if (ts.isExportDeclaration(statement)) {
    if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause)) return [];
    return statement.exportClause.elements.map((element) => element.name.text);
  }
  const flags = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  const has = (kind: ts.SyntaxKind): boolean => flags.some((modifier) => modifier.kind === kind);
  if (!has(ts.SyntaxKind.ExportKeyword)) return [];
  if (has(ts.SyntaxKind.DefaultKeyword)) return ['default'];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.text];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}
