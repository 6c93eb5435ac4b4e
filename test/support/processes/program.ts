/** The program, as tests start it in separate processes. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../../..');
const COMPILED = join(ROOT, 'dist/main.js');

/**
 * The file of the program. It is the compiled one if `npm run build` has compiled the sources as they are now: a suite has
 * hundreds of starts, and each takes half the time if no thread has types to strip.
 */
export const PROGRAM = isCompiled() ? COMPILED : join(ROOT, 'src/main.ts');

function isCompiled(): boolean {
  const compiledAt = statSync(COMPILED, { throwIfNoEntry: false })?.mtimeMs;
  if (compiledAt === undefined) return false;
  return ['package.json', ...sourcesIn('src'), ...sourcesIn('bench')].every(
    (file) => statSync(join(ROOT, file)).mtimeMs < compiledAt,
  );
}

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}
