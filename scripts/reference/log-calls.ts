/** Finds every log line in the source with TypeScript's types. */
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { FAILURES } from '../../src/upstream/attempts/failure-table.ts';

export interface LogCall {
  /** Path below `src`. */
  readonly file: string;
  readonly level: string;
  /** One message. `…` stands for parts that only the running program knows. */
  readonly message: string;
  /** Names of all fields that the line can have. */
  readonly fields: readonly string[];
}

const ROOT = resolve(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');
const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'fatal'];
/** Messages that types do not reveal, by file and level. */
const UNTYPED: Readonly<Record<string, readonly string[]>> = {
  'cli/serving/run-proxy.ts warn': ['(a warning about the configuration)'],
  'primary/control/reloader.ts warn': ['(a warning about the configuration)'],
  'primary/control/reloader.ts error': ['(an error of the configuration)'],
  'primary/workers/worker-slot.ts error': ['worker … did not listen within … s'],
  'cli/demo/demo-process.ts warn': ['(a line of the demo)'],
  'upstream/attempts/failure-log.ts error': failureLines(true),
  'upstream/attempts/failure-log.ts warn': failureLines(false),
};

/** Fields that types do not reveal, by file. */
const UNTYPED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'primary/admin/admin-router.ts': ['closed', 'principal', 'cluster', 'client'],
  'upstream/descriptor-gate.ts': ['listener', 'limit', 'maxClients', 'ceiling'],
};

function failureLines(own: boolean): readonly string[] {
  const rows = Object.values(FAILURES).filter(({ isLocal }) => isLocal === own);
  return [...new Set(rows.map(({ line }) => line))];
}

/**
 * Lists log lines in the order of their files.
 *
 * @throws Error that names each call whose messages are unknown
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
      const { levels, args } = partsOf(node, checker);
      const [first, second] = args;
      if (first === undefined || levels.length === 0) return [];
      const messages = textsOf(second ?? first, source, checker) ?? UNTYPED[`${file} ${levels.join()}`];
      if (messages === undefined) unknown.push(`${file}: ${node.getText()}`);
      const typed = second === undefined ? [] : fieldsOf(checker.getTypeAtLocation(first));
      const fields = [...(UNTYPED_FIELDS[file] ?? []), ...typed];
      return levels.flatMap((level) => (messages ?? []).map((message) => ({ file, level, message, fields })));
    });
  });
  if (unknown.length > 0) throw new Error(`messages without a known type:\n${unknown.join('\n')}`);
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

interface Parts {
  /** Levels of the line: several if the program chooses one, none if the call does not log. */
  readonly levels: readonly string[];
  /** The arguments are fields and message, or the message alone. */
  readonly args: readonly ts.Expression[];
}

const NOTHING: Parts = { levels: [], args: [] };

function partsOf({ expression: callee, arguments: args }: ts.CallExpression, checker: ts.TypeChecker): Parts {
  const levelsIn = (node: ts.Expression): readonly string[] =>
    literalsOf(checker.getTypeAtLocation(node)) ?? [];
  if (ts.isPropertyAccessExpression(callee)) {
    const { name, expression } = callee;
    // The admin server's rate-limited log takes the level as its first argument.
    if (name.text === 'logLimited') return { levels: levelsIn(args[0]!), args: args.slice(1) };
    const isLine = LEVELS.includes(name.text) && isLog(expression, checker);
    return isLine ? { levels: [name.text], args } : NOTHING;
  }
  if (!ts.isElementAccessExpression(callee) || !isLog(callee.expression, checker)) return NOTHING;
  const [, message] = args;
  // Skips the body of `logLimited`: its callers have the messages.
  if (message !== undefined && ts.isIdentifier(message)) return NOTHING;
  return { levels: levelsIn(callee.argumentExpression), args };
}

function isLog(node: ts.Expression, checker: ts.TypeChecker): boolean {
  return /Log\b|Logger/.test(checker.typeToString(checker.getTypeAtLocation(node)));
}

/** Returns the possible texts of a message; null if the program computes the message. */
function textsOf(
  node: ts.Expression,
  source: ts.SourceFile,
  checker: ts.TypeChecker,
): readonly string[] | null {
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  const texts = literalsOf(checker.getTypeAtLocation(node));
  if (texts !== null) return texts;
  return ts.isIdentifier(node) ? textsOfArguments(node, source, checker) : null;
}

/** Returns the values of a literal type or of a union of literals. Returns null for other types. */
function literalsOf(type: ts.Type): readonly string[] | null {
  const types = type.isUnion() ? type.types : [type];
  const texts = types.flatMap((each) => (each.isStringLiteral() ? [each.value] : []));
  return texts.length === types.length ? texts : null;
}

/**
 * Returns the literal texts that callers in the same file pass for a method's parameter. Returns null if there
 * are none, or the name is not a parameter of a method.
 */
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
