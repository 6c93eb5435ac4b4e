/**
 * Builds the program into dist: `node scripts/build.ts`, or `npm run build`. With `--clean` it only removes what builds
 * and test runs leave behind.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** The program's file in dist. The compiled sources lie below it in the folders that they have here. */
const LAUNCHER = `#!/usr/bin/env node
import './src/main.js';
`;

const { values } = parseArgs({ options: { clean: { type: 'boolean', default: false } } });
process.exitCode = values.clean ? clean() : build();

/** Compiles the sources and writes the launcher. Returns the compiler's exit status. */
function build(): number {
  remove('dist');
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status === 0) writeFileSync(join(DIST, 'main.js'), LAUNCHER, { mode: 0o755 });
  return status ?? 1;
}

function clean(): number {
  remove('dist');
  remove('coverage');
  return 0;
}

function remove(directory: string): void {
  rmSync(join(ROOT, directory), { recursive: true, force: true });
}
