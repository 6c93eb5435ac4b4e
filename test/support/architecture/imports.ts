/** Reads what a node of a TypeScript source imports, in every spelling, and the spellings that hide it. */
import { posix } from 'node:path';
import ts from 'typescript';

export interface Import {
  /** As written; the file of a `new URL(file, import.meta.url)` always begins with a dot and ends in `.ts`. */
  readonly specifier: string;
  /** Imported names; none if the file is only run, as by a URL. */
  readonly names: readonly string[] | 'all';
}

/** The only expression allowed in a template of a file's name: the build changes the extension. */
const OWN_EXTENSION = 'extname(import.meta.url)';
/** Files that a URL may name without being an import. */
const DATA_FILE = /\.(?:css|html|json|md|svg|txt|ya?ml)$/;

/** Returns the imports of one node, without those of its children. */
export function importsOf(node: ts.Node): Import[] {
  const one = (specifier: ts.Node | undefined, names: Import['names']): Import[] =>
    isText(specifier) ? [{ specifier: specifier.text, names }] : [];
  if (ts.isImportDeclaration(node)) return one(node.moduleSpecifier, importedNames(node.importClause));
  if (ts.isExportDeclaration(node)) return one(node.moduleSpecifier, 'all');
  if (ts.isExternalModuleReference(node)) return one(node.expression, 'all');
  // `declare module 'x'` adds to the types of a package.
  if (ts.isModuleDeclaration(node)) return one(node.name, 'all');
  if (ts.isCallExpression(node)) {
    if (isImportCall(node) || isRequireCall(node)) return one(node.arguments[0], 'all');
    const path = joinedPath(node);
    return path?.endsWith('.ts') === true ? [{ specifier: relative(path), names: [] }] : [];
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const name = node.qualifier === undefined ? undefined : firstName(node.qualifier);
    return one(node.argument.literal, name === undefined ? 'all' : [name]);
  }
  const url = ts.isNewExpression(node) ? urlPath(node) : null;
  return url === null || DATA_FILE.test(url) ? [] : [{ specifier: sourceOf(relative(url)), names: [] }];
}

/** Returns what one node loads, or can load, without showing which file or package it is. */
export function hiddenIn(node: ts.Node): string[] {
  // Each way to a CommonJS module begins with one of these names.
  if (ts.isIdentifier(node)) {
    // A key of an object has the name, and loads nothing.
    if (node.text === 'require' && ts.isPropertyAssignment(node.parent) && node.parent.name === node)
      return [];
    return /^(?:createRequire|require)$/.test(node.text) ? [node.text] : [];
  }
  if (ts.isMetaProperty(node)) return isPlainMeta(node) ? [] : [node.parent.parent.getText()];
  if (ts.isCallExpression(node) && isImportCall(node) && !isText(node.arguments[0])) return [node.getText()];
  // Absolute, or mapped by package.json: neither says which file of the tree it is.
  return importsOf(node).some(({ specifier }) => /^(?:[/#]|(?!node:)[a-z]+:)/.test(specifier))
    ? [node.getText()]
    : [];
}

/** Returns triple-slash references to files and types, as they are written. */
export function referencesOf(file: ts.SourceFile): string[] {
  const references = [...file.referencedFiles, ...file.typeReferenceDirectives];
  return references.map(({ fileName }) => `/// <reference> to ${fileName}`);
}

export function isText(node: ts.Node | undefined): node is ts.StringLiteralLike {
  return node !== undefined && ts.isStringLiteralLike(node);
}

function isImportCall({ expression }: ts.CallExpression): boolean {
  return expression.kind === ts.SyntaxKind.ImportKeyword;
}

/** Recognises `require(x)`, `createRequire(y)(x)` and `resolve` of both, and `import.meta.resolve(x)`. */
function isRequireCall({ expression }: ts.CallExpression): boolean {
  return /^(?:require|createRequire\([^()]*\)|import\.meta)(?:\.resolve)?$/.test(expression.getText());
}

/**
 * Returns true if `import.meta` is used only to name a visible file, or for the extension of the same file.
 */
function isPlainMeta(meta: ts.MetaProperty): boolean {
  const property = meta.parent;
  if (meta.keywordToken !== ts.SyntaxKind.ImportKeyword) return true;
  if (!ts.isPropertyAccessExpression(property)) return false;
  const user = property.parent;
  if (ts.isNewExpression(user)) return urlPath(user) !== null;
  if (!ts.isCallExpression(user)) return false;
  if (user.expression === property) return property.name.text === 'resolve' && isText(user.arguments[0]);
  return user.getText() === OWN_EXTENSION || joinedPath(user) !== null;
}

/** Returns the file of `new URL(file, import.meta.url)`; null if it is another expression, or names a directory. */
function urlPath({ expression, arguments: given }: ts.NewExpression): string | null {
  const [file, base] = given ?? [];
  if (expression.getText() !== 'URL' || base?.getText() !== 'import.meta.url' || file === undefined)
    return null;
  if (isText(file)) return /[./]$/.test(file.text) ? null : file.text;
  if (!ts.isTemplateExpression(file)) return null;
  const [span, ...others] = file.templateSpans;
  const isExtension = span?.expression.getText() === OWN_EXTENSION && span.literal.text === '';
  return isExtension && others.length === 0 ? `${file.head.text}.ts` : null;
}

/** Returns the path of `join(import.meta.dirname, 'path')` and of `resolve` with the same; null for other calls. */
function joinedPath({ expression, arguments: given }: ts.CallExpression): string | null {
  const [directory, ...parts] = given;
  if (!/^(?:join|resolve)$/.test(expression.getText()) || directory?.getText() !== 'import.meta.dirname')
    return null;
  return parts.every(isText) ? posix.join(...parts.map(({ text }) => text)) : null;
}

/**
 * Names the source of a path that Node finds or the build makes. The path has no extension, or JavaScript's.
 */
function sourceOf(path: string): string {
  const plain = path.replace(/[?#].*$/, '').replace(/\.[cm]?js$/, '.ts');
  return posix.extname(plain) === '' ? `${plain}.ts` : plain;
}

function relative(path: string): string {
  return /^(?:\.|\/|[a-z]+:)/.test(path) ? path : `./${path}`;
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
