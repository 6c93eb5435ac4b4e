/** The rules of this tree: floors, reserved imports, sizes and places of files. The analysis is in test/support. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import {
  findBadArrows,
  findForbiddenImports,
  findHiddenImports,
  findReexports,
  findStrayArrows,
  findUnknownParts,
  findUnusedExports,
  type Bridge,
  type Floors,
  type Reserved,
} from '../support/architecture/arrows.ts';
import { findCircles } from '../support/architecture/circles.ts';
import {
  findBadNames,
  findBadSizes,
  findCrowdedFolders,
  findHiddenTests,
  findIdleExceptions,
  findUnmirroredFolders,
  findUnreadCode,
  type Exceptions,
} from '../support/architecture/files.ts';
import { listFiles, readModules, readSources, type Module } from '../support/architecture/modules.ts';

/**
 * The floors of a folder, lowest first: a file imports only from a lower floor of each folder that it lies in, or from
 * its own part of it.
 */
const FLOORS: Readonly<Record<string, Floors>> = {
  src: [
    ['core'],
    ['config', 'telemetry', 'wire', 'sys'],
    ['protocol', 'loop'],
    ['routing', 'upstream', 'transport', 'access'],
    ['l4', 'l7'],
    ['primary', 'worker'],
    ['cli', 'page'],
    ['main.ts'],
  ],
  'src/access': [
    ['contract'],
    ['addresses', 'origins', 'credentials', 'limits', 'admission'],
    ['credential-methods.ts'],
    ['route-access.ts'],
    ['access-check.ts'],
  ],
  'src/access/limits': [
    ['table'],
    ['limit-key.ts', 'limit-answer.ts', 'limit-queues.ts'],
    ['keyed-limit.ts'],
    ['session-meter.ts'],
    ['client-holds.ts'],
    ['limit-set.ts'],
  ],
  'src/config': [
    ['types'],
    ['syntax'],
    ['sources', 'schema', 'reference'],
    ['loader.ts'],
    ['render'],
    ['render.ts'],
  ],
  'src/l7': [
    ['contract', 'buffers'],
    ['upstream'],
    ['access-log', 'bound', 'tracing'],
    ['attempts'],
    ['websocket', 'http', 'static'],
    ['dispatch'],
    ['uws', 'http1'],
  ],
  'src/page': [['model'], ['client'], ['view'], ['page.ts']],
  'src/primary': [
    ['tickets', 'limits'],
    ['process'],
    ['workers'],
    ['clusters', 'access', 'tracing', 'tap'],
    ['control'],
    ['admin'],
    ['phase.ts', 'resources.ts', 'build-admin.ts'],
    ['running.ts'],
    ['build.ts'],
    ['primary.ts'],
    ['serve.ts'],
  ],
  'src/worker': [
    ['ticket-key-rings.ts', 'access', 'clusters', 'spans'],
    ['journal', 'tap'],
    ['environment.ts', 'live-connection.ts', 'meters'],
    ['ending', 'service.ts'],
    ['generations', 'service-thread.ts', 'warm-up'],
    ['service-task.ts', 'tunnels'],
    ['l7-engines.ts'],
    ['l4.ts', 'l7.ts'],
  ],
  bench: [
    ['options', 'figures', 'endpoint'],
    ['recorded'],
    ['driver'],
    ['scenarios', 'result', 'rig'],
    ['report', 'peers'],
    ['reloadable'],
    ['compare', 'faults', 'scaling', 'micro', 'releases'],
    ['command.ts'],
  ],
  'bench/driver': [['measuring'], ['dialling', 'scanning'], ['sessions'], ['crew']],
};
/** Files that run by their name: the command, the page and the threads. */
const ENTRIES = [
  'src/main.ts',
  'src/page/page.ts',
  'src/worker/l4.ts',
  'src/worker/l7.ts',
  'src/primary/access/passwords/password-task.ts',
];
/** The imports between src and bench: the load generator is built and published as a command of sluice. */
const BRIDGES: readonly Bridge[] = [
  { from: /^src\/cli\/commands\/bench\.ts$/, to: /^bench\/command\.ts$/ },
  { from: /^bench\/micro\//, to: /^src\/(?:core|config|protocol|wire|routing|upstream|access|telemetry)\// },
  // Help, completion and the manual know the options of all commands.
  {
    from: /^bench\/options\//,
    to: /^src\/cli\/command-line\/(?:bench-command|spec|tokens)\.ts$/,
  },
  { from: /^bench\/report\//, to: /^src\/cli\/wrap\.ts$/ },
  { from: /^bench\//, to: /^src\/(?:core|wire|sys|loop)\// },
];
/** uWebSockets.js: by the name in package.json, by its package's name, and by the path of either. */
const UWS = /(?:^|^(?:.*\/)?node_modules\/)(?:uWebSockets\.js|uws-pack)(?:\/|$)/;
/** Endpoints and models of tests that are uWS servers themselves. */
const UWS_SERVERS = [
  'bench/endpoint/server',
  'test/scale/fixtures/page-endpoint',
  'test/support/http/static-server',
];
const RESERVED: readonly Reserved[] = [
  {
    target: UWS,
    importers: new RegExp(`^(?:src/l7/uws/|test/unit/l7/uws/|(?:${UWS_SERVERS.join('|')})\\.ts$)`),
  },
  { target: 'koffi', importers: /^src\/sys\// },
  { target: 're2js', importers: /^src\/core\/linear-expression\.ts$/ },
  { target: 'json-p3', importers: /^(?:src\/core|test\/unit\/wire)\/redaction\// },
  // A browser has nothing of the process but the contracts.
  { target: /^src\/(?!page\/|core\/|protocol\/)/, importers: /^(?!src\/page\/)/ },
  { target: /^src\/page\//, importers: /^(?:src\/page|test)\// },
  { target: 'uplot', importers: /^src\/page\/view\/chart-card\.ts$/ },
  // Only the assembly of a worker names the engine; everything else knows its contract.
  {
    target: /^src\/l7\/uws\/process-settings\.ts$/,
    importers:
      /^(?:src\/primary\/(?:primary|process\/machine)|test\/(?:support\/engines|unit\/l7\/uws\/process-settings\.test))\.ts$/,
  },
  {
    target: /^src\/l7\/uws\/(?!process-settings)/,
    importers: /^(?:src\/(?:l7\/uws\/|worker\/l7-engines\.ts$)|test\/(?:unit\/l7\/uws|support\/http)\/)/,
  },
  {
    target: /^src\/l7\/websocket\/message-relay\//,
    importers: /^(?:src|test\/unit)\/l7\/(?:uws|websocket\/message-relay)\//,
  },
];
/** Files that load something that no literal names, and why. */
const HIDDEN_IMPORTS: Exceptions = new Map<string | RegExp, string>([
  ['src/main.ts', 'It starts itself again on the pinned Node of a checkout'],
  ['src/cli/explain/known-keys.ts', 'It reads the schema, which lies in config of the package'],
  ['src/cli/runtime.ts', 'It looks for the package of the pinned Node, whose name has the architecture'],
  ['src/config/syntax/yaml/package.ts', 'It loads yaml only for a file that needs it'],
  ['src/core/linear-expression.ts', 'It loads re2js only for the first expression'],
  ['src/core/redaction/json-path.ts', 'It loads json-p3 only for the first JSON path'],
  ['src/core/version.ts', 'It reads package.json, which lies elsewhere in the package'],
  ['src/l7/static/static-files.ts', 'It loads the table of content types only for static files'],
  ['src/l7/uws/process-settings.ts', 'It looks for the binary without loading it'],
  ['src/primary/admin/pages/page-file.ts', 'It reads the built page, which lies in dist of the package'],
  ['src/primary/process/versions.ts', 'It reads the version of a package without loading it'],
  ['src/sys/native-calls.ts', 'It loads koffi only if the platform has it'],
  ['bench/peers/node-proxy.ts', 'It runs the package that it is told'],
  ['bench/peers/template.ts', 'It reads the configurations of the peers'],
  ['bench/report/page.ts', 'It reads the parts of the page and the chart library'],
]);
const LINES = { min: 15, max: 350 };
/**
 * A folder fits on one screen, which is about 12 files. Four more are left to those with one job that does not divide:
 * the two sides of every seam of layer 7 are one contract, and the schema has one file for each part of a configuration.
 */
const MAX_FILES_IN_FOLDER = 16;
/** The kinds of tests, and what they share. */
const TEST_ROOMS = ['unit', 'integration', 'conformance', 'scale', 'support'];
/** Code that is not TypeScript, and why. Sizes hold for it, too. */
const OTHER_CODE: Exceptions = new Map([
  [/^bench\/report\/page\/[a-z-]+\.js$/, 'A browser runs it as it is, in the page of results'],
]);
/** Files below the least number of lines, and why. */
const SHORT_FILES: Exceptions = new Map<string | RegExp, string>([
  ['src/core/version.ts', 'The command line needs it before it loads anything else'],
  ['src/wire/frames/opcodes.ts', 'Readers, writers, probes and the load generator share the numbers'],
  ['src/wire/http/header-edits.ts', 'A contract of routes and of both directions of messages'],
  ['src/cli/commands/bench.ts', 'The one bridge from src to bench'],
  ['src/l7/uws/reply/cork-sizes.ts', 'Whole and piecewise replies share the numbers'],
  ['src/primary/process/machine.ts', 'Starts and checks ask the same machine; tests ask others'],
  ['test/support/processes/chromium.ts', 'The browser of three tests'],
  ['test/support/processes/sluice-command.ts', 'Every kind of test runs commands by it'],
  [
    /^test\/scale\/(?:cluster-balance|tunnels)\.scale\.ts$/,
    'A suite of test/conformance or test/support at full size',
  ],
  [/\/fixtures\//, 'A separate program or thread that a test starts by its name'],
  ['bench/driver/measuring/clock.ts', 'The one clock of all threads, used by every room of bench'],
  ['bench/micro/micro-case.ts', 'A contract: each suite implements it'],
  [/^bench\/peers\/(?:haproxy|all)\.ts$/, 'One file for each peer, beside its configuration, and their list'],
]);

const ROOT = resolve(import.meta.dirname, '../..');
const read = (...directories: readonly string[]): Module[] =>
  directories.flatMap((directory) => readModules(readSources(ROOT, directory)));
const src = read('src');
const bench = read('bench');
const test = read('test');
const pageScripts = readModules(readSources(ROOT, 'bench/report/page', '.js'));
const scripts = read('scripts');
const everything = [...src, ...bench, ...test, ...scripts];
const files = new Set(everything.map(({ path }) => path));

describe('architecture', () => {
  it('has files to look at', () => {
    assert.ok(src.length > 50);
    assert.ok(src.flatMap(({ imports }) => imports).length > 100);
    assert.ok(bench.length > 50);
    assert.ok(test.length > 100);
  });

  for (const [folder, floors] of Object.entries(FLOORS)) {
    it(`has every file of ${folder} in a room of the floor table`, () =>
      assert.deepEqual(findUnknownParts(everything, folder, floors), []));
    it(`has imports that go down only in ${folder}`, () =>
      assert.deepEqual(findBadArrows(everything, folder, floors), []));
  }
  it('has no imports between src and bench but by the bridges', () =>
    assert.deepEqual(findStrayArrows([...src, ...bench], files, BRIDGES), []));
  it('has no circles', (t) => {
    // One bad arrow closes many circles, and is what to mend.
    if (
      Object.entries(FLOORS).some(([folder, floors]) => findBadArrows(everything, folder, floors).length > 0)
    )
      t.skip('there are imports that do not go down');
    else assert.deepEqual(findCircles([...src, ...bench]), []);
  });
  it('exports only what something imports', () =>
    assert.deepEqual(findUnusedExports(src, [...bench, ...test, ...scripts], ENTRIES), []));
  it('has no barrels', () => assert.deepEqual(findReexports([...src, ...bench]), []));
  it('keeps packages and the parts of the engine in their places', () =>
    assert.deepEqual(findForbiddenImports(everything, RESERVED), []));

  it('shows in a literal what it imports, starts and resolves', () =>
    assert.deepEqual(findHiddenImports([...src, ...bench], HIDDEN_IMPORTS), []));
  it('has a file for each reason to hide an import', () =>
    assert.deepEqual(
      findIdleExceptions(
        [...src, ...bench].filter(({ hidden }) => hidden.length > 0),
        HIDDEN_IMPORTS,
      ),
      [],
    ));

  it('has no file that is too long, or too short without a reason', () => {
    assert.deepEqual(findBadSizes([...everything, ...pageScripts], LINES, SHORT_FILES), []);
  });
  it('has a short file for each reason to be short', () =>
    assert.deepEqual(
      findIdleExceptions(
        everything.filter(({ lines }) => lines < LINES.min),
        SHORT_FILES,
      ),
      [],
    ));
  it('has no code that the rules do not read', () => {
    const paths = ['src', 'bench', 'test', 'scripts'].flatMap((directory) => listFiles(ROOT, directory));
    assert.deepEqual(findUnreadCode(paths, OTHER_CODE), []);
  });
  it('has every test in a room of its kind, and none among fixtures', () => {
    assert.deepEqual(findUnknownParts(everything, 'test', [TEST_ROOMS]), []);
    assert.deepEqual(findHiddenTests(everything), []);
  });
  it('has no crowded folder', () => {
    // Each file of test/scale is a separate measurement, started by its name.
    const rooms = everything.filter(({ path }) => !path.startsWith('test/scale/'));
    assert.deepEqual(findCrowdedFolders(rooms, MAX_FILES_IN_FOLDER), []);
  });
  it('has unit tests in the same folders as the sources', () =>
    assert.deepEqual(
      findUnmirroredFolders(
        test.filter(({ path }) => path.startsWith('test/unit/')),
        [...src, ...bench],
        {
          mirrors: new Map([
            ['test/unit', 'src'],
            ['test/unit/bench', 'bench'],
          ]),
          own: [
            'test/unit/architecture',
            'test/unit/deploy',
            'test/unit/docs',
            'test/unit/scripts',
            'test/unit/support',
            'fixtures',
          ],
        },
      ),
      [],
    ));
  it('names its files in kebab-case, and never utils', () =>
    assert.deepEqual(findBadNames([...src, ...bench]), []));
});
