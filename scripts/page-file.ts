/**
 * Writes the status page of the admin address: one file that contains style, script and chart library.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const PAGE = 'src/page';
/** In cascade order. */
const STYLES = [
  'node_modules/uplot/dist/uPlot.min.css',
  `${PAGE}/style/base.css`,
  `${PAGE}/style/parts.css`,
  `${PAGE}/style/tables.css`,
] as const;

/**
 * Bundles the page into `page.html` of a directory. Rejects with esbuild's messages, which esbuild also
 * prints.
 *
 * Replaces the file atomically: a proxy that runs from its sources may read the file at any time.
 *
 * @param root directory of the package
 */
export async function writePage(root: string, directory: string): Promise<void> {
  const [script, style] = await Promise.all([bundledScript(root), bundledStyle(root)]);
  const values: Readonly<Record<string, string>> = { style, script };
  const template = readFileSync(join(root, PAGE, 'page.html'), 'utf8');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'page.html');
  writeFileSync(
    `${file}.${process.pid}`,
    template.replace(/\/\* (script|style) \*\//g, (_, name: string) => values[name]!),
  );
  renameSync(`${file}.${process.pid}`, file);
}

async function bundledScript(root: string): Promise<string> {
  return bundled({ root, text: `import './${PAGE}/page.ts';`, loader: 'ts' });
}

async function bundledStyle(root: string): Promise<string> {
  return bundled({ root, text: STYLES.map((file) => `@import './${file}';`).join('\n'), loader: 'css' });
}

interface Source {
  readonly root: string;
  /** Entry source that imports all others. */
  readonly text: string;
  readonly loader: 'ts' | 'css';
}

async function bundled({ root, text, loader }: Source): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    stdin: { contents: text, loader, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    outdir: 'dist',
    format: 'iife',
    platform: 'browser',
    // Chrome 111, Firefox 113 and Safari 16.4 date from 2023.
    target: ['chrome111', 'firefox113', 'safari16.4'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  const [file] = result.outputFiles;
  // An end tag inside the text would end the script or style element early.
  return file!.text.trim().replace(/<\/(?=script|style)/gi, '<\\/');
}
