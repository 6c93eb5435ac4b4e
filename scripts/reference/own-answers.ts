/** Finds sluice's own responses and close frames in the source. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import * as closeCodes from '../../src/wire/frames/close-codes.ts';

/** A status or close code, and its text. */
export interface OwnAnswer {
  readonly code: number;
  readonly text: string;
}

const SRC = resolve(import.meta.dirname, '../../src');
const STATUS_FOLDERS = ['l7', 'access', 'routing', 'wire/http', 'wire/upgrade'];
const CLOSE_FOLDERS = ['l7/websocket', 'wire/frames', 'access', 'worker/access'];
/** Keys for the client's text in an object with a status. */
const TEXT_KEYS = ['detail', 'reason', 'message'];

/**
 * Lists error statuses (400 to 599) with their texts for the client. Finds them in arguments of calls and in
 * members of objects.
 */
export function findOwnStatuses(): readonly OwnAnswer[] {
  return find(STATUS_FOLDERS, (code) => code >= 400 && code < 600);
}

/** Lists close codes with their reasons for the client. */
export function findOwnCloses(): readonly OwnAnswer[] {
  return find(CLOSE_FOLDERS, (code) => code >= 1000 && code < 1016);
}

function find(folders: readonly string[], isWanted: (code: number) => boolean): readonly OwnAnswer[] {
  const paths = folders.flatMap((folder) => ts.sys.readDirectory(join(SRC, folder), ['.ts']));
  const answers = new Map<string, OwnAnswer>();
  for (const path of new Set(paths)) {
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    const constants = constantsOf(source);
    const note = (values: readonly ts.Expression[]): void => {
      const codes = values.map((value) => codeOf(value)).filter((code) => code !== null && isWanted(code));
      const texts = values
        .map((value) => textOf(value, constants))
        .filter((text) => text?.includes(' ') === true);
      for (const code of codes) {
        for (const text of texts) answers.set(`${code} ${text}`, { code: code!, text: text! });
      }
    };
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) note(node.arguments);
      if (ts.isObjectLiteralExpression(node)) note(membersOf(node));
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return [...answers.values()].toSorted((a, b) => a.code - b.code || (a.text < b.text ? -1 : 1));
}

/** Returns the values of an object's members that may be a code or a text for the client. */
function membersOf(node: ts.ObjectLiteralExpression): readonly ts.Expression[] {
  return node.properties.flatMap((member) => {
    if (!ts.isPropertyAssignment(member)) return [];
    const name = member.name.getText();
    return name === 'status' || name === 'code' || TEXT_KEYS.includes(name) ? [member.initializer] : [];
  });
}

/**
 * Returns a file's string constants by name, if the name is in capitals. Other names may have several values.
 */
function constantsOf(source: ts.SourceFile): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (
      ts.isVariableDeclaration(node) &&
      node.initializer !== undefined &&
      ts.isStringLiteral(node.initializer)
    ) {
      const name = node.name.getText();
      if (name === name.toUpperCase()) constants.set(name, node.initializer.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return constants;
}

function codeOf(node: ts.Expression): number | null {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  const found: unknown = ts.isIdentifier(node) ? closeCodes[node.text as keyof typeof closeCodes] : null;
  return typeof found === 'number' ? found : null;
}

function textOf(node: ts.Expression, constants: ReadonlyMap<string, string>): string | null {
  if (ts.isStringLiteral(node)) return node.text;
  return ts.isIdentifier(node) ? (constants.get(node.text) ?? null) : null;
}
