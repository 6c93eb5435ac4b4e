/**
 * Writes the generated pages of docs/reference: `npm run docs:reference`. Tests compare the files with the
 * result.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commandsPage } from './reference/commands-page.ts';
import { configurationPage } from './reference/configuration-page.ts';
import { logLinesPage } from './reference/log-lines-page.ts';

const FOLDER = join(resolve(import.meta.dirname, '..'), 'docs/reference');

/** Functions that make each page from its current version. */
export const PAGES: Readonly<Record<string, (page: string, file: string) => Promise<string>>> = {
  'commands.md': commandsPage,
  'configuration.md': configurationPage,
  'log-lines.md': logLinesPage,
};

if (process.argv[1] === import.meta.filename) {
  for (const [name, make] of Object.entries(PAGES)) {
    const file = join(FOLDER, name);
    writeFileSync(file, await make(readFileSync(file, 'utf8'), file));
  }
}
