import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const VERSION_TIMEOUT_MS = 10_000;

/**
 * Directory of current releases of some peers, made by `npm run bench:peers`. `SLUICE_BENCH_PEERS` names
 * another directory. If the variable is empty, the machine's own programs are measured.
 */
export const RELEASES = process.env.SLUICE_BENCH_PEERS ?? join(ROOT, '.peers');

/** How to read each program's version: the first group of the expression. */
const VERSIONS = {
  nginx: { args: ['-v'], expression: /nginx\/(\S+)/ },
  haproxy: { args: ['-v'], expression: /version (\d[\w.]*)/ },
  caddy: { args: ['version'], expression: /v?(\d[\w.]*)/ },
  apache2: { args: ['-v'], expression: /Apache\/(\S+)/ },
} as const;
export type ProgramName = keyof typeof VERSIONS;

/** Returns the program to start: the release in {@link RELEASES}, or the machine's own program. */
export function programOf(name: ProgramName): string {
  const released = join(RELEASES, 'bin', name);
  return RELEASES !== '' && existsSync(released) ? released : name;
}

/**
 * Returns a file that belongs to the program of {@link programOf}.
 *
 * @param path absolute path in the program's package
 */
export function fileOf(name: ProgramName, path: string): string {
  return programOf(name) === name ? path : join(RELEASES, 'root', path);
}

/** Runs a program to read its version. Returns null if the program is not installed or does not run. */
export function versionOf(name: ProgramName, program = programOf(name)): string | null {
  const { args, expression } = VERSIONS[name];
  const { error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: VERSION_TIMEOUT_MS,
  });
  if (error !== undefined) return null;
  return expression.exec(stdout + stderr)?.[1] ?? null;
}
