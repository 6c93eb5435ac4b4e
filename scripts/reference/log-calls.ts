/** Finds every log line in the source by TypeScript's types. */
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { FAILURES } from '../../src/upstream/attempts/failure-table.ts';

export interface LogCall {
  /** Path below `src`. */
  readonly file: string;
  readonly level: string;
  /** One message. `…` stands for what only the running program knows. */
  readonly message: string;
  /** Names of the fields that the line can have. */
  readonly fields: readonly string[];
}

const ROOT = resolve(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');
const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'fatal'];
/** Messages that types do not tell, by file and level. */
const UNTYPED: Readonly<Record<string, readonly string[]>> = {
  'cli/commands/run.ts warn': ['(a warning about the configuration)'],
  'primary/control/reloader.ts warn': ['(a warning about the configuration)'],
  'primary/control/reloader.ts error': ['(an error of the configuration)'],
  'primary/workers/worker-slot.ts error': ['worker … does not listen after … s'],
  'cli/demo/demo-process.ts warn': ['(a line of the demo)'],
  'upstream/attempts/failure-log.ts error': failureLines(true),
  'upstream/attempts/failure-log.ts warn': failureLines(false),
};

/** Fields that types do not tell, by file. */
const UNTYPED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'upstream/descriptor-gate.ts': ['listener', 'limit', 'maxClients', 'ceiling'],
};

function failureLines(own: boolean): readonly string[] {
  const rows = Object.values(FAILURES).filter(({ isOwn }) => isOwn === own);
  return [...new Set(rows.map(({ line }) => line))];
}

/**
 * Lists the lines in the order of their files.
 *
 * @throws an error that names each call whose messages are unknown
 */
export function findLogCalls(): readonly LogCall[] {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const paths = ts.sys.readDirectory(SRC, ['.ts'], ['page']);
  const program = ts.createProgram(paths, options);
  const checker = program.getTypeChecker();
  const unknown: string[] = [];
  const calls = paths.flatMap((path) => {
    const source = program.getSourceFile(path)!;
    const file = relative(SRC, path);
    return callsIn(source).flatMap((node): LogCall[] => {
      const level = levelOf(node, checker);
      const [first, second] = node.arguments;
      if (level === null || first === undefined) return [];
      const messages = textsOf(second ?? first, source, checker) ?? UNTYPED[`${file} ${level}`];
      if (messages === undefined) unknown.push(`${file}: ${node.getText()}`);
      const typed = second === undefined ? [] : fieldsOf(checker.getTypeAtLocation(first));
      const fields = [...(UNTYPED_FIELDS[file] ?? []), ...typed];
      return (messages ?? []).map((message) => ({ file, level, message, fields }));
    });
  });
  if (unknown.length > 0) throw new Error(`messages that no type tells:\n${unknown.join('\n')}`);
  return calls;
}

function callsIn(source: ts.SourceFile): readonly ts.CallExpression[] {
  const calls: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) calls.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return calls;
}

/** Returns the level of a call of a log; null for another call. */
function levelOf({ expression: callee }: ts.CallExpression, checker: ts.TypeChecker): string | null {
  if (!ts.isPropertyAccessExpression(callee) || !LEVELS.includes(callee.name.text)) return null;
  const type = checker.typeToString(checker.getTypeAtLocation(callee.expression));
  return /Log\b|Logger/.test(type) ? callee.name.text : null;
}

/** Returns the texts of a message; null if the program computes it. */
function textsOf(
  node: ts.Expression,
  source: ts.SourceFile,
  checker: ts.TypeChecker,
): readonly string[] | null {
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  const type = checker.getTypeAtLocation(node);
  const types = type.isUnion() ? type.types : [type];
  const texts = types.flatMap((each) => (each.isStringLiteral() ? [each.value] : []));
  if (texts.length === types.length) return texts;
  return ts.isIdentifier(node) ? textsOfArguments(node, source, checker) : null;
}

/** Returns the texts that a method gets as an argument from its own file; null if the name is no parameter. */
function textsOfArguments(
  name: ts.Identifier,
  source: ts.SourceFile,
  checker: ts.TypeChecker,
): readonly string[] | null {
  const parameter = checker.getSymbolAtLocation(name)?.valueDeclaration;
  if (parameter === undefined || !ts.isParameter(parameter)) return null;
  const method = parameter.parent;
  if (!ts.isMethodDeclaration(method)) return null;
  const index = method.parameters.indexOf(parameter);
  const texts = callsIn(source).flatMap(({ expression, arguments: given }) => {
    const isIt =
      ts.isPropertyAccessExpression(expression) && expression.name.getText() === method.name.getText();
    const argument = given[index];
    return isIt && argument !== undefined && ts.isStringLiteral(argument) ? [argument.text] : [];
  });
  return texts.length > 0 ? texts : null;
}

function fieldsOf(type: ts.Type): readonly string[] {
  const types = type.isUnion() ? type.types : [type];
  return [...new Set(types.flatMap((each) => each.getProperties().map(({ name }) => name)))];
}
