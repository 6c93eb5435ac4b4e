/** Finds the worst habits of language in comments, texts and pages: `npm run check:words [PATH …]`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { proseOfMarkdown } from './words/pages.ts';
import { findHabits, type Finding } from './words/prose.ts';
import { proseOfHashComments, proseOfTypeScript } from './words/sources.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** Files from other programs or people, and the rules themselves. */
const FOREIGN =
  /^(bench\/report\/page\/|config\/public\/|LICENSE|package-lock\.json|scripts\/words\/rules\.ts|test\/unit\/scripts\/words\/)/u;
const HASH_COMMENTS = /\.(ya?ml|service|conf|toml)$|Dockerfile|Makefile$/u;

if (process.argv[1] === import.meta.filename) {
  const paths = process.argv.slice(2);
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...paths], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const findings = files.split('\n').flatMap((file) => (file === '' ? [] : habitsOf(file)));
  for (const { file, line, message } of findings) process.stdout.write(`${file}:${line}: ${message}\n`);
  if (findings.length > 0) process.stdout.write(`${findings.length} habits\n`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

/** Returns the habits of a file. @param file path from the root of the project */
export function habitsOf(file: string): Finding[] {
  if (FOREIGN.test(file)) return [];
  const read = (): string => readFileSync(resolve(ROOT, file), 'utf8');
  if (file.endsWith('.ts')) return proseOfTypeScript(file, read()).flatMap(findHabits);
  if (file.endsWith('.md')) return proseOfMarkdown(file, read()).flatMap(findHabits);
  if (HASH_COMMENTS.test(file)) return proseOfHashComments(file, read()).flatMap(findHabits);
  return [];
}
