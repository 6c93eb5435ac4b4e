/**
 * Builds the program into dist: `node scripts/build.ts`, or `npm run build`.
 *
 * With `--page` it only writes the status page, which a proxy that runs from its sources needs, too. With
 * `--clean` it only removes the output of builds and test runs.
 *
 * Each thread gets one file, or a few. A worker that loads 2 files instead of 350 starts in half of the CPU
 * time and takes 8 MB less. Names and lines are kept, so that stack traces are readable without source maps.
 * Types are removed without checks.
 *
 * Packages among `dependencies` and `optionalDependencies` stay where npm installs them: they are native, load
 * other files, or are loaded by `createRequire`. All other packages become part of dist.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, transform, type OnLoadResult, type Plugin } from 'esbuild';
import { writePage } from './page-file.ts';
import { packageFolders, thirdPartyText } from './third-party.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** Sources of the files that Node starts, by their names in dist. */
const ENTRIES = {
  main: 'src/main.ts',
  'worker-l7': 'src/worker/l7.ts',
  'worker-l4': 'src/worker/l4.ts',
  'password-task': 'src/primary/access/passwords/password-task.ts',
  'bench-thread': 'bench/scenarios/thread.ts',
};
/** The package in the status page. */
const PAGE_PACKAGE = 'node_modules/uplot';
/**
 * Matches a source's reference to the file of a thread: `new URL('./thread.ts', import.meta.url)`, or with
 * `${…}` for the extension.
 */
const THREAD_URL = /new URL\((['`])(\.[^'`$]*?)(\.ts|\$\{[^'`]*\})\1, import\.meta\.url\)/g;

/** Removes comments, and replaces references to threads' sources by their files in dist. */
const sources: Plugin = {
  name: 'sources',
  setup(host) {
    host.onLoad({ filter: /\/(src|bench)\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const placed = text.replace(THREAD_URL, (_, quote: string, file: string, extension: string) => {
        const name = entryOf(relative(ROOT, join(dirname(path), `${file}.ts`)));
        return `new URL(${quote}./${name}${extension}${quote}, import.meta.url)`;
      });
      return withoutComments(placed, 'ts');
    });
    host.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) =>
      withoutComments(await readFile(path, 'utf8'), 'js'),
    );
  },
};

/**
 * Loads Node's HTTP modules like `require`. An `import` reads all their exports at once. One export loads
 * Node's clients for fetch and WebSocket, which take 3 MB per thread (Node 22). Packages that call `require`
 * get built-in modules in this way, too: a module of dist has no `require`. `import()` stays, because a bundled
 * module that it loads has only a default export.
 */
const lightModules: Plugin = {
  name: 'light-modules',
  setup(host) {
    host.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      const isLight =
        kind === 'require-call' || (kind === 'import-statement' && /^(?:node:)?https?$/.test(path));
      return isLight && isBuiltin(path) ? { path, namespace: 'light' } : null;
    });
    host.onLoad({ filter: /./, namespace: 'light' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

const { values } = parseArgs({
  options: { clean: { type: 'boolean', default: false }, page: { type: 'boolean', default: false } },
});
if (values.clean) clean();
else if (values.page) await writePage(ROOT, DIST);
else await bundle();

/** Writes dist. Rejects with esbuild's messages, which esbuild also prints. */
async function bundle(): Promise<void> {
  remove('dist');
  const packages = [PAGE_PACKAGE];
  const external = packagesOfUsers();
  // One entry at a time: shared code would become extra files.
  for (const [name, source] of Object.entries(ENTRIES)) {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: { [name]: source },
      outdir: DIST,
      entryNames: '[name]',
      // Without folders: a thread's path is relative to the file that names it, and esbuild chooses that
      // file.
      chunkNames: '[name]-[hash]',
      bundle: true,
      // Modules that a command or a listener loads on demand stay separate files.
      splitting: true,
      format: 'esm',
      platform: 'node',
      external,
      // ES modules, if a package has both: unused exports of CommonJS modules would stay.
      mainFields: ['module', 'main'],
      legalComments: 'none',
      metafile: true,
      // main.js starts the pinned Node, so older versions of Node must be able to read it.
      target: 'node20',
      plugins: [sources, lightModules],
      logLevel: 'warning',
    });
    packages.push(...packageFolders(metafile));
  }
  await writePage(ROOT, DIST);
  writeFileSync(join(DIST, 'THIRD-PARTY.txt'), thirdPartyText(ROOT, packages));
  chmodSync(join(DIST, 'main.js'), 0o755);
}

/**
 * Removes comments. They cost memory in each thread, and twice as much if one has a character beyond Latin-1.
 * The bundle has line ends again.
 */
async function withoutComments(text: string, loader: 'ts' | 'js'): Promise<OnLoadResult> {
  const { code } = await transform(text, {
    loader,
    minifyWhitespace: true,
    legalComments: 'none',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: 'es2024' } },
  });
  return { contents: code, loader: 'js' };
}

/** Returns the names of the packages that npm installs with sluice. */
function packagesOfUsers(): string[] {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Readonly<Record<'dependencies' | 'optionalDependencies', Readonly<Record<string, string>>>>;
  return Object.keys({ ...dependencies, ...optionalDependencies });
}

/** Returns the name of an entry. @throws Error for any other file: its thread would not start */
function entryOf(source: string): string {
  const found = Object.entries(ENTRIES).find(([, file]) => file === source);
  if (found === undefined) throw new Error(`${source} is started as a thread: name it in scripts/build.ts`);
  return found[0];
}

function clean(): void {
  remove('dist');
  remove('coverage');
}

function remove(directory: string): void {
  rmSync(join(ROOT, directory), { recursive: true, force: true });
}
