/**
 * The page that shows the last results: one file, with its data, its style and the chart library inside. Built by
 * `npm run bench:report`, and again by each measurement.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The directory of the last results and of the page that shows them. */
export const REPORT_DIRECTORY = import.meta.dirname;
const PARTS = join(import.meta.dirname, 'page');
/** They become one script: the later ones use what the earlier ones define. */
const SCRIPTS = ['drawing.js', 'losses.js', 'page.js'] as const;
const RESULTS = ['comparison', 'faults', 'scaling'] as const;

if (process.argv[1] === import.meta.filename) process.stdout.write(`${writePage()}\n`);

/** Writes `index.html` from the results that are there; returns its path. */
export function writePage(directory: string = REPORT_DIRECTORY): string {
  const results = Object.fromEntries(RESULTS.map((name) => [name, readResult(directory, name)]));
  const library = join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');
  const values: Readonly<Record<string, string>> = {
    style: readPart('style.css'),
    // The only text that a script element cannot hold.
    data: JSON.stringify(results).replaceAll('<', '\\u003c'),
    library: readFileSync(library, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'),
    script: SCRIPTS.map(readPart).join('\n'),
  };
  const path = join(directory, 'index.html');
  writeFileSync(
    path,
    readPart('page.html').replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name]!),
  );
  return path;
}

function readResult(directory: string, name: string): unknown {
  const file = join(directory, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : null;
}

function readPart(name: string): string {
  return readFileSync(join(PARTS, name), 'utf8');
}
