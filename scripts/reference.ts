/**
 * Writes the generated pages of docs/reference, config/schema.json and man/sluice.1: `npm run docs:reference`. Tests
 * compare the files with the result.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commandsPage } from './reference/commands-page.ts';
import { configurationPage } from './reference/configuration-page.ts';
import { logLinesPage } from './reference/log-lines-page.ts';
import { manPage } from './reference/man-page.ts';
import { schemaFile } from './schema/schema-file.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Functions that make each file from its current version. */
export const FILES: Readonly<Record<string, (text: string, file: string) => Promise<string>>> = {
  'config/schema.json': schemaFile,
  'docs/reference/commands.md': commandsPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/log-lines.md': logLinesPage,
  'man/sluice.1': manPage,
};

if (process.argv[1] === import.meta.filename) {
  for (const [name, make] of Object.entries(FILES)) {
    const file = join(ROOT, name);
    writeFileSync(file, await make(readFileSync(file, 'utf8'), file));
  }
}
