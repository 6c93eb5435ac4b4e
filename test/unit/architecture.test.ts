/** The rooms of src and the arrows between them, read from every import and export. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';

/** A file imports only from a lower floor or its own room. */
const FLOORS: readonly (readonly string[])[] = [
  ['core'],
  ['config', 'telemetry', 'wire', 'sys'],
  ['protocol', 'loop'],
  ['routing', 'upstream'],
  ['l4', 'l7'],
  ['primary', 'worker'],
  ['cli'],
  ['main.ts'],
];
/** The floors inside of a room, lowest first, by the names of its folders and of the files beside them. */
const INNER_FLOORS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  config: [['types'], ['syntax'], ['schema'], ['loader.ts'], ['render.ts']],
  l7: [
    ['contract', 'buffers'],
    ['upstream'],
    ['access-log', 'bound'],
    ['websocket', 'http', 'static'],
    ['dispatch'],
    ['uws'],
  ],
  primary: [['process'], ['workers'], ['clusters'], ['control'], ['admin'], ['primary.ts'], ['serve.ts']],
};
/** Arrows that still go up. */
const UPWARDS_YET: readonly string[] = [
  'src/l7/bound/client-connections.ts: imports src/l7/uws/uws-descriptors.ts, not downwards from bound to uws',
  'src/l7/bound/client-search.ts: imports src/l7/uws/uws-descriptors.ts, not downwards from bound to uws',
  'src/l7/contract/exchange.ts: imports src/l7/access-log/refused-handshakes.ts, not downwards from contract to access-log',
  'src/l7/contract/exchange.ts: imports src/l7/access-log/request-fields.ts, not downwards from contract to access-log',
  'src/l7/contract/exchange.ts: imports src/l7/dispatch/client-request.ts, not downwards from contract to dispatch',
  'src/l7/contract/exchange.ts: imports src/l7/websocket/upgrade.ts, not downwards from contract to websocket',
  'src/l7/contract/exchange.ts: imports src/l7/uws/uws-descriptors.ts, not downwards from contract to uws',
  'src/l7/dispatch/dispatcher.ts: imports src/l7/uws/message-memory.ts, not downwards from dispatch to uws',
  'src/l7/dispatch/environment.ts: imports src/l7/uws/unfinished/unfinished-messages.ts, not downwards from dispatch to uws',
  'src/l7/websocket/message-relay/message-session.ts: imports src/l7/uws/unfinished/held-bytes.ts, not downwards from websocket to uws',
  'src/l7/websocket/message-relay/message-session.ts: imports src/l7/uws/unfinished/unfinished-messages.ts, not downwards from websocket to uws',
  'src/l7/websocket/message-relay/session-context.ts: imports src/l7/uws/message-memory.ts, not downwards from websocket to uws',
  'src/l7/websocket/message-relay/session-context.ts: imports src/l7/uws/unfinished/held-bytes.ts, not downwards from websocket to uws',
  'src/l7/websocket/message-relay/session-context.ts: imports src/l7/uws/unfinished/unfinished-messages.ts, not downwards from websocket to uws',
];
/** What Node runs by the file's name: the command and the threads. Nothing imports their exports. */
const ENTRIES = ['src/main.ts', 'src/worker/l4.ts', 'src/worker/l7.ts'];
/** Packages that only some files may import. */
const RESERVED: readonly { readonly name: string; readonly files: RegExp }[] = [
  { name: 'uWebSockets.js', files: /^src\/l7\/uws\// },
  { name: 'koffi', files: /^src\/sys\// },
  { name: 're2js', files: /^src\/core\/linear-expression\.ts$/ },
];
/** The one arrow that leaves src: the load generator is built and published with it. */
const BESIDE: ReadonlyMap<string, string> = new Map([['src/cli/commands/bench.ts', 'bench/command.ts']]);
const MOST_LINES = 510;

/** Texts of source files by their path from the root, such as `src/core/errors.ts`. */
type Sources = ReadonlyMap<string, string>;

interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  /** Specifiers of `export ... from`. */
  readonly reexports: readonly string[];
  readonly lines: number;
}

interface Import {
  readonly specifier: string;
  /** The names that are imported, or all of them. */
  readonly names: readonly string[] | 'all';
}

function readModules(sources: Sources): Module[] {
  return [...sources].map(([path, text]) => readModule(path, text));
}

function readModule(path: string, text: string): Module {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const reexports: string[] = [];
  const add = (specifier: ts.Node | undefined, names: Import['names']): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier))
      imports.push({ specifier: specifier.text, names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, importedNames(node.importClause));
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, 'all');
      if (ts.isStringLiteralLike(node.moduleSpecifier)) reexports.push(node.moduleSpecifier.text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], 'all');
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const name = node.qualifier === undefined ? undefined : firstName(node.qualifier);
      add(node.argument.literal, name === undefined ? 'all' : [name]);
    } else if (ts.isExternalModuleReference(node)) {
      add(node.expression, 'all');
    } else if (ts.isModuleDeclaration(node)) {
      // `declare module 'x'` adds to the types of a package.
      add(node.name, 'all');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, imports, exports: file.statements.flatMap(exportedNames), reexports, lines };
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

/** The path of the file that a relative import means; null for packages. */
function targetOf(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

function findUnknownRooms(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => floorOf(roomOf(path)) < 0)
    .map(({ path }) => `${path}: "${roomOf(path)}" is no room of the floor table`);
}

function findBadArrows(modules: readonly Module[]): string[] {
  const known = new Set(modules.map(({ path }) => path));
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier }) => {
      const target = targetOf(path, specifier);
      if (target === null || BESIDE.get(path) === target) return [];
      if (!known.has(target)) return [`${path}: imports ${specifier}, which is no file of src`];
      const [from, to] = [roomOf(path), roomOf(target)];
      if (from === to || floorOf(to) < floorOf(from)) return [];
      const direction = floorOf(to) === floorOf(from) ? 'sideways' : 'upwards';
      return [`${path}: imports ${target}, ${direction} from ${from} to ${to}`];
    }),
  );
}

function findBadInnerArrows(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) => {
    const room = roomOf(path);
    const floors = INNER_FLOORS[room];
    if (floors === undefined) return [];
    const floorOfPart = (part: string): number => floors.findIndex((parts) => parts.includes(part));
    const from = partOf(path);
    if (floorOfPart(from) < 0) return [`${path}: "${from}" is no part of ${room}`];
    return imports.flatMap(({ specifier }) => {
      const target = targetOf(path, specifier);
      if (target === null || roomOf(target) !== room) return [];
      const to = partOf(target);
      if (from === to || floorOfPart(to) < floorOfPart(from)) return [];
      return [`${path}: imports ${target}, not downwards from ${from} to ${to}`];
    });
  });
}

/** The folder or file inside of its room that a path belongs to. */
function partOf(path: string): string {
  return path.split('/')[2] ?? '';
}

/** One circle for each file that closes one, as the way round it. */
function findCircles(modules: readonly Module[]): string[] {
  const arrows = new Map(
    modules.map(({ path, imports }) => [path, imports.map(({ specifier }) => targetOf(path, specifier))]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) circles.push([...way.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const next of new Set(arrows.get(path))) if (next !== null) walk(next, [...way, path]);
    done.add(path);
  };
  for (const path of arrows.keys()) walk(path, []);
  return circles;
}

/** @param users files that are not of src, and use what it exports */
function findUnusedExports(modules: readonly Module[], users: readonly Module[]): string[] {
  const used = new Map<string, Set<string>>();
  const whole = new Set(ENTRIES);
  for (const { path, imports } of [...modules, ...users]) {
    for (const { specifier, names } of imports) {
      const target = targetOf(path, specifier);
      if (target === null || target === path) continue;
      if (names === 'all') whole.add(target);
      else used.set(target, new Set([...(used.get(target) ?? []), ...names]));
    }
  }
  return modules
    .filter(({ path }) => !whole.has(path) && !path.endsWith('.d.ts'))
    .flatMap(({ path, exports }) =>
      exports
        .filter((name) => used.get(path)?.has(name) !== true)
        .map((name) => `${path}: nothing imports its export ${name}`),
    );
}

function findReexports(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, reexports }) =>
    reexports.map((specifier) => `${path}: exports again what ${specifier} exports`),
  );
}

function findForbiddenPackages(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier }) =>
      RESERVED.filter(({ name, files }) => isOf(specifier, name) && !files.test(path)).map(
        ({ name }) => `${path}: imports ${name}, which is not for it`,
      ),
    ),
  );
}

function isOf(specifier: string, packageName: string): boolean {
  return specifier === packageName || specifier.startsWith(`${packageName}/`);
}

function findLongFiles(modules: readonly Module[]): string[] {
  return modules
    .filter(({ lines }) => lines > MOST_LINES)
    .map(({ path, lines }) => `${path}: has ${lines} lines, more than ${MOST_LINES}`);
}

function findBadNames(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path }) => {
    const parts = path.replace(/(?:\.d)?\.ts$/, '').split('/');
    if (parts.some((part) => /^utils?$/.test(part))) return [`${path}: has a name that says nothing`];
    if (parts.some((part) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part)))
      return [`${path}: is not in kebab-case`];
    return [];
  });
}

const ROOT = resolve(import.meta.dirname, '../..');

function readSources(directory: string): Sources {
  const entries = readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => posix.relative(ROOT, join(entry.parentPath, entry.name)));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

describe('architecture', () => {
  const modules = readModules(readSources('src'));
  const users = readModules(new Map([...readSources('test'), ...readSources('bench')]));

  it('has files to look at', () => {
    assert.ok(modules.length > 50);
    assert.ok(modules.flatMap(({ imports }) => imports).length > 100);
    assert.ok(users.length > 10);
  });

  it('has its files in rooms of the floor table', () => assert.deepEqual(findUnknownRooms(modules), []));
  it('has arrows that go down only', () => assert.deepEqual(findBadArrows(modules), []));
  it('has arrows that go down only inside of rooms', () =>
    assert.deepEqual(
      findBadInnerArrows(modules).filter((arrow) => !UPWARDS_YET.includes(arrow)),
      [],
    ));
  it('has no circles', () => assert.deepEqual(findCircles(modules), []));
  it('exports only what something imports', () => assert.deepEqual(findUnusedExports(modules, users), []));
  it('has no barrels', () => assert.deepEqual(findReexports(modules), []));
  it('keeps uWebSockets.js and koffi in their places', () =>
    assert.deepEqual(findForbiddenPackages(modules), []));
  it('has no file of too many lines', () => assert.deepEqual(findLongFiles(modules), []));
  it('names its files in kebab-case, and none of them utils', () =>
    assert.deepEqual(findBadNames(modules), []));
});

describe('architecture analysis', () => {
  const tree = (files: Readonly<Record<string, string>>): Module[] =>
    readModules(new Map(Object.entries(files)));

  it('reads every kind of import', () => {
    const [module] = tree({
      'src/core/a.ts': `
        import 'node:fs';
        import one, { two, three as four } from './b.ts';
        import * as five from './c.ts';
        import type { six } from './d.ts';
        import { type seven } from './e.ts';
        export { eight } from './f.ts';
        export * from './g.ts';
        type T = import('./h.ts').Nine.Ten | typeof import('./i.ts');
        const later = async () => import('./j.ts');
        import eleven = require('./k.ts');
        declare module 'some-package' { interface X {} }
        // import './comment.ts'
        const text = "import './text.ts'";
      `,
    });
    assert.deepEqual(module?.imports, [
      { specifier: 'node:fs', names: [] },
      { specifier: './b.ts', names: ['default', 'two', 'three'] },
      { specifier: './c.ts', names: 'all' },
      { specifier: './d.ts', names: ['six'] },
      { specifier: './e.ts', names: ['seven'] },
      { specifier: './f.ts', names: 'all' },
      { specifier: './g.ts', names: 'all' },
      { specifier: './h.ts', names: ['Nine'] },
      { specifier: './i.ts', names: 'all' },
      { specifier: './j.ts', names: 'all' },
      { specifier: './k.ts', names: 'all' },
      { specifier: 'some-package', names: 'all' },
    ]);
    assert.deepEqual(module.reexports, ['./f.ts', './g.ts']);
  });

  it('reads every kind of export', () => {
    const [module] = tree({
      'src/core/a.ts': `
        export const a = 1, { b, c: [d] } = x;
        export function e() {}
        export class F {}
        export interface G {}
        export type H = string;
        export enum I {}
        const j = 1, k = 2;
        export { j, k as l };
        export default class M {}
        const hidden = 1;
      `,
    });
    assert.deepEqual(module?.exports, ['a', 'b', 'd', 'e', 'F', 'G', 'H', 'I', 'j', 'l', 'default']);
  });

  it('finds an arrow that goes up', () => {
    for (const line of [
      `import { x } from '../l7/x.ts';`,
      `import type { x } from '../l7/x.ts';`,
      `const x = await import('../l7/x.ts');`,
      `type X = import('../l7/x.ts').X;`,
      `export { x } from '../l7/x.ts';`,
    ]) {
      assert.deepEqual(findBadArrows(tree({ 'src/wire/a.ts': line, 'src/l7/x.ts': '' })), [
        'src/wire/a.ts: imports src/l7/x.ts, upwards from wire to l7',
      ]);
    }
    assert.equal(
      findBadArrows(tree({ 'src/cli/a.ts': `import '../main.ts';`, 'src/main.ts': '' })).length,
      1,
    );
  });

  it('finds an arrow that goes sideways', () => {
    assert.deepEqual(findBadArrows(tree({ 'src/l4/a.ts': `import '../l7/x.ts';`, 'src/l7/x.ts': '' })), [
      'src/l4/a.ts: imports src/l7/x.ts, sideways from l4 to l7',
    ]);
  });

  it('lets arrows go down and stay in a room', () => {
    const modules = tree({
      'src/main.ts': `import './cli/a.ts';`,
      'src/cli/a.ts': `import '../config/b.ts'; import '../core/c.ts';`,
      'src/config/b.ts': `import './deep/d.ts'; import 'node:fs'; import 'yaml';`,
      'src/config/deep/d.ts': `import '../../core/c.ts';`,
      'src/core/c.ts': '',
    });
    assert.deepEqual(findBadArrows(modules), []);
    assert.deepEqual(findUnknownRooms(modules), []);
  });

  it('finds an arrow that leaves src or leads nowhere', () => {
    assert.deepEqual(
      findBadArrows(tree({ 'src/cli/a.ts': `import '../../test/x.ts'; import './gone.ts';` })),
      [
        'src/cli/a.ts: imports ../../test/x.ts, which is no file of src',
        'src/cli/a.ts: imports ./gone.ts, which is no file of src',
      ],
    );
  });

  it('finds a room that the floor table does not have', () => {
    assert.deepEqual(
      findUnknownRooms(tree({ 'src/shared/a.ts': '', 'src/loose.ts': '', 'src/core/a.ts': '' })),
      [
        'src/shared/a.ts: "shared" is no room of the floor table',
        'src/loose.ts: "loose.ts" is no room of the floor table',
      ],
    );
  });

  it('finds circles, of types too and in one room', () => {
    const modules = tree({
      'src/core/a.ts': `import './b.ts';`,
      'src/core/b.ts': `import type { X } from './c.ts';`,
      'src/core/c.ts': `import './a.ts';`,
      'src/core/d.ts': `import './a.ts'; import './e.ts';`,
      'src/core/e.ts': `import './a.ts';`,
      'src/core/f.ts': `import './f.ts';`,
    });
    assert.deepEqual(findCircles(modules), [
      'src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts',
      'src/core/f.ts -> src/core/f.ts',
    ]);
    assert.deepEqual(findCircles(tree({ 'src/core/a.ts': `import './b.ts';`, 'src/core/b.ts': '' })), []);
  });

  it('finds an export that nothing imports', () => {
    const modules = tree({
      'src/core/a.ts':
        'export const used = 1, tested = 2, unused = 3; export type Unused = 4; export default 5;',
      'src/core/b.ts': `import { used as x } from './a.ts'; export const own = 1;`,
      'src/core/c.ts': 'export const star = 1;',
      'src/core/d.ts': `import * as c from './c.ts'; import { own } from './d.ts';`,
      'src/main.ts': 'export const main = 1;',
      'src/worker/l7.ts': 'export default 1;',
    });
    const users = tree({ 'test/unit/core/a.test.ts': `import { tested } from '../../../src/core/a.ts';` });
    assert.deepEqual(findUnusedExports(modules, users), [
      'src/core/a.ts: nothing imports its export unused',
      'src/core/a.ts: nothing imports its export Unused',
      'src/core/a.ts: nothing imports its export default',
      'src/core/b.ts: nothing imports its export own',
    ]);
  });

  it('finds a barrel', () => {
    assert.deepEqual(
      findReexports(
        tree({ 'src/core/index.ts': `export * from './a.ts'; export type { B } from './b.ts';` }),
      ),
      [
        'src/core/index.ts: exports again what ./a.ts exports',
        'src/core/index.ts: exports again what ./b.ts exports',
      ],
    );
  });

  it('finds uWebSockets.js and koffi outside of their places', () => {
    const uws = `import type { WebSocket } from 'uWebSockets.js';`;
    const koffi = `const koffi = await import('koffi/indirect');`;
    const modules = tree({
      'src/l7/uws/uws-listener.ts': uws,
      'src/l7/uws/deep/socket.ts': uws,
      'src/l7/uws/uws.d.ts': `declare module 'uWebSockets.js' {}`,
      'src/l7/session.ts': uws,
      'src/l7/deep/uws.ts': uws,
      'src/worker/l7.ts': uws,
      'src/sys/library.ts': koffi,
      'src/sys/deep/library.ts': koffi,
      'src/l4/library.ts': koffi,
    });
    assert.deepEqual(findForbiddenPackages(modules), [
      'src/l7/session.ts: imports uWebSockets.js, which is not for it',
      'src/l7/deep/uws.ts: imports uWebSockets.js, which is not for it',
      'src/worker/l7.ts: imports uWebSockets.js, which is not for it',
      'src/l4/library.ts: imports koffi, which is not for it',
    ]);
  });

  it('finds a file that is too long', () => {
    const modules = tree({
      'src/core/a.ts': '\n'.repeat(MOST_LINES),
      'src/core/b.ts': '\n'.repeat(MOST_LINES + 1),
    });
    assert.deepEqual(findLongFiles(modules), [
      `src/core/b.ts: has ${MOST_LINES + 1} lines, more than ${MOST_LINES}`,
    ]);
  });

  it('finds names that say nothing and names in another case', () => {
    const modules = tree({
      'src/core/utils.ts': '',
      'src/util/a.ts': '',
      'src/core/fooBar.ts': '',
      'src/core/foo_bar.ts': '',
      'src/core/foo-bar2.ts': '',
      'src/l7/uws.d.ts': '',
    });
    assert.deepEqual(findBadNames(modules), [
      'src/core/utils.ts: has a name that says nothing',
      'src/util/a.ts: has a name that says nothing',
      'src/core/fooBar.ts: is not in kebab-case',
      'src/core/foo_bar.ts: is not in kebab-case',
    ]);
  });
});
