/**
 * Compares the current sources with another revision, alternating over several rounds: `npm run bench:branch
 * -- BASE [FILTER]`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StartError, UsageError } from '../../src/core/errors.ts';
import { layOut } from '../figures/tables.ts';
import { runCommand, say } from '../options/command-line.ts';
import { compareRounds, type Comparison } from './compare.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ROUNDS = 5;
const ROUND_MS = 600_000;

process.exitCode = await runCommand('bench:branch', () => main(process.argv.slice(2)));

function main([base, filter = '', ...more]: readonly string[]): string {
  if (base === undefined || base.startsWith('-') || more.length > 0) {
    throw new UsageError('usage: npm run bench:branch -- BASE [FILTER]');
  }
  return `${render(compare(base, filter), base)}\n`;
}

function compare(base: string, filter: string): Comparison[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-branch-'));
  try {
    checkOut(base, directory);
    const before = new Map<string, number[]>();
    const after = new Map<string, number[]>();
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      // Alternating: a machine that warms up or slows down affects both revisions.
      measure(directory, filter, before);
      measure(ROOT, filter, after);
    }
    return Array.from(after, ([name, times]) => ({ name, before: before.get(name) ?? [], after: times }))
      .filter((rounds) => rounds.before.length > 0)
      .map(compareRounds);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Extracts the base's sources and copies the current cases beside them. Leaves the repository unchanged. */
function checkOut(base: string, directory: string): void {
  let archive: Buffer;
  try {
    archive = execFileSync('git', ['archive', '--format=tar', `${base}^{commit}`, 'src', 'package.json'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 256 * 1024 * 1024,
    });
  } catch {
    throw new StartError(`${base} is no revision that has sources: see git log`);
  }
  execFileSync('tar', ['-x'], { cwd: directory, input: archive });
  mkdirSync(join(directory, 'bench'));
  cpSync(join(ROOT, 'bench/micro'), join(directory, 'bench/micro'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
}

function measure(directory: string, filter: string, times: Map<string, number[]>): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(directory, 'bench/micro/run.ts'), filter, '--json'],
    { cwd: directory, encoding: 'utf8', timeout: ROUND_MS },
  );
  process.stderr.write(stderr);
  if (status !== 0) throw new StartError(`a round in ${directory} failed`);
  for (const [name, time] of Object.entries(JSON.parse(stdout) as Record<string, number>)) {
    times.set(name, [...(times.get(name) ?? []), time]);
  }
}

function render(comparisons: readonly Comparison[], base: string): string {
  const rows = comparisons.map(({ name, before, after, ratio, clear }) => [
    name,
    nanoseconds(before),
    nanoseconds(after),
    ratio.toFixed(2),
    clear ? (ratio < 1 ? 'faster' : 'slower') : '',
  ]);
  return layOut(['case', base, 'now', 'ratio', ''], rows).join('\n');
}

function nanoseconds(time: number): string {
  return `${time < 100 ? time.toFixed(1) : time.toFixed(0)} ns`;
}
