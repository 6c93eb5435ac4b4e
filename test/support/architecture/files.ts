/** Rules about files and folders: sizes, names, places. Each function returns one line for each breach. */
import { posix } from 'node:path';
import type { Module } from './modules.ts';

export interface LineBounds {
  readonly min: number;
  readonly max: number;
}

/** Files that may break a rule: a path, or a pattern for paths, and why. */
export type Exceptions = ReadonlyMap<string | RegExp, string>;

/** Finds files with more lines, or fewer without a reason, than the bounds allow. */
export function findBadSizes(
  modules: readonly Module[],
  { min, max }: LineBounds,
  exceptions: Exceptions,
): string[] {
  return modules.flatMap(({ path, lines }) => {
    if (lines > max) return [`${path}: has ${lines} lines, more than ${max}`];
    if (lines >= min || keyFor(path, exceptions) !== undefined) return [];
    return [`${path}: has ${lines} lines, fewer than ${min}`];
  });
}

/** Finds exceptions that no file needs any more, of those that break the rule. */
export function findIdleExceptions(breaking: readonly Module[], exceptions: Exceptions): string[] {
  const needed = new Set(breaking.map(({ path }) => keyFor(path, exceptions)));
  return [...exceptions.keys()].filter((key) => !needed.has(key)).map((key) => `${key}: no file needs it`);
}

/** Finds folders with more files directly in them than allowed. */
export function findCrowdedFolders(modules: readonly Module[], max: number): string[] {
  const counts = new Map<string, number>();
  for (const { path } of modules) {
    const folder = posix.dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return Array.from(counts)
    .filter(([, count]) => count > max)
    .map(([folder, count]) => `${folder}: holds ${count} files, more than ${max}`);
}

/** Finds code in files that the rules do not read: JavaScript, and TypeScript by another extension than `.ts`. */
export function findUnreadCode(paths: readonly string[], exceptions: Exceptions): string[] {
  return paths
    .filter((path) => /\.(?:[cm]?jsx?|[cm]ts|tsx|node|wasm)$/.test(path))
    .filter((path) => keyFor(path, exceptions) === undefined)
    .map((path) => `${path}: is code that no rule reads; write it in a .ts file`);
}

/** Finds tests in folders of fixtures, which no rule about the places of tests reaches. */
export function findHiddenTests(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => /\/fixtures\/.*\.(?:test|scale)\.ts$/.test(path))
    .map(({ path }) => `${path}: is a test in a folder of fixtures`);
}

/** Finds names that say nothing or are not in kebab-case. */
export function findBadNames(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path }) => {
    const parts = path.replace(/(?:\.(?:d|test|scale))?\.ts$/, '').split('/');
    if (parts.some((part) => /^(?:utils?|helpers?)$/.test(part)))
      return [`${path}: has a name that says nothing`];
    if (parts.some((part) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part)))
      return [`${path}: is not in kebab-case`];
    return [];
  });
}

/**
 * Finds folders of unit tests that mirror no folder of sources.
 *
 * @param mirrors folder of sources by folder of tests, such as `src` by `test/unit`; the longest prefix counts
 * @param own folders of tests that mirror nothing, and folders with one of these names anywhere
 */
export function findUnmirroredFolders(
  tests: readonly Module[],
  sources: readonly Module[],
  { mirrors, own }: { readonly mirrors: ReadonlyMap<string, string>; readonly own: readonly string[] },
): string[] {
  const known = new Set(sources.flatMap(({ path }) => foldersOf(path)));
  const folders = new Set(tests.flatMap(({ path }) => foldersOf(path)));
  const prefixes = [...mirrors.keys()].sort((a, b) => b.length - a.length);
  return [...folders].sort().flatMap((folder) => {
    if (own.some((one) => isIn(folder, one) || folder.split('/').includes(one))) return [];
    const prefix = prefixes.find((one) => isIn(folder, one));
    if (prefix === undefined) return [];
    const mirrored = `${mirrors.get(prefix)!}${folder.slice(prefix.length)}`;
    return known.has(mirrored) ? [] : [`${folder}: mirrors ${mirrored}, which is no folder`];
  });
}

/** Returns the exception that a path falls under. */
export function keyFor(path: string, exceptions: Exceptions): string | RegExp | undefined {
  return [...exceptions.keys()].find((key) => (typeof key === 'string' ? key === path : key.test(path)));
}

/** Every folder that a file lies in, from the outermost. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function isIn(folder: string, other: string): boolean {
  return folder === other || folder.startsWith(`${other}/`);
}
