/**
 * Builds the page of the latest results: one file with data, style and chart library. `npm run
 * bench:report` runs it, and so does each measurement.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Directory of the latest results and their page. */
export const REPORT_DIRECTORY = import.meta.dirname;
const PARTS = join(import.meta.dirname, 'page');
/** Joined into one script: later files use the definitions of earlier files. */
const SCRIPTS = ['drawing.js', 'losses.js', 'page.js'] as const;
const RESULTS = ['comparison', 'faults', 'scaling'] as const;

if (process.argv[1] === import.meta.filename) process.stdout.write(`${writePage()}\n`);

/** Writes `index.html` from the existing results. Returns its path. */
export function writePage(directory: string = REPORT_DIRECTORY): string {
  const results = Object.fromEntries(RESULTS.map((name) => [name, readResult(directory, name)]));
  const library = join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');
  const values: Readonly<Record<string, string>> = {
    style: readPart('style.css'),
    // A `<` could begin `</script>`, which would end the script element.
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
