import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** Runs a program for its version: the first group of the expression; null if it is not installed. */
export function versionOf(program: string, args: readonly string[], expression: RegExp): string | null {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  if (error !== undefined) return null;
  return expression.exec(stdout + stderr)?.[1] ?? 'unknown version';
}

/** Returns the version of an npm package; null if it is not installed. */
export function packageVersion(name: string): string | null {
  try {
    const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
    return String((JSON.parse(text) as { version: unknown }).version);
  } catch {
    return null;
  }
}
