/** Reads TypeScript sources into what the rules of the architecture look at: imports, exports and lengths. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { hiddenIn, importsOf, isText, referencesOf, type Import } from './imports.ts';

/** Texts of source files by their path from the root, such as `src/core/errors.ts`. */
export type Sources = Readonly<Record<string, string>>;

export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Expressions that load something, or can, without showing what. */
  readonly hidden: readonly string[];
  /** Names that the file exports. */
  readonly exports: readonly string[];
  /** Specifiers of `export ... from`. */
  readonly reexports: readonly string[];
  readonly lines: number;
}

/** Lists all files below a directory of the root, by their paths from the root. */
export function listFiles(root: string, directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Reads all files below a directory of the root that have one extension. */
export function readSources(root: string, directory: string, extension = '.ts'): Sources {
  const paths = listFiles(root, directory).filter((path) => path.endsWith(extension));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
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
  const hidden = referencesOf(file);
  const reexports: string[] = [];
  const visit = (node: ts.Node): void => {
    imports.push(...importsOf(node));
    hidden.push(...hiddenIn(node));
    if (ts.isExportDeclaration(node) && isText(node.moduleSpecifier))
      reexports.push(node.moduleSpecifier.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, imports, hidden, exports: file.statements.flatMap(exportedNames), reexports, lines };
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
