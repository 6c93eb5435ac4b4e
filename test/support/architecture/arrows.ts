/** Rules about imports: which file may import which. Each function returns one line for each breach. */
import { keyFor, type Exceptions } from './files.ts';
import { targetOf, type Module } from './modules.ts';

/** The floors of a folder, lowest first: each has names of the folders and files directly in it. */
export type Floors = readonly (readonly string[])[];

/** An import between two trees with separate floors, such as `bench` and `src`. */
export interface Bridge {
  /** Files that may import. */
  readonly from: RegExp;
  /** Files that they may import. */
  readonly to: RegExp;
}

/** Finds files whose place in a folder is on none of its floors. */
export function findUnknownParts(modules: readonly Module[], folder: string, floors: Floors): string[] {
  return modules.flatMap(({ path }) => {
    const part = partOf(path, folder);
    if (part === null || floorOf(floors, part) >= 0) return [];
    return [`${path}: "${part}" is no room of ${folder}`];
  });
}

/** Finds imports inside of a folder that go up, or sideways to another part of the same floor. */
export function findBadArrows(modules: readonly Module[], folder: string, floors: Floors): string[] {
  return modules.flatMap(({ path, imports }) => {
    const from = partOf(path, folder);
    if (from === null) return [];
    return imports.flatMap(({ specifier }) => {
      const target = targetOf(path, specifier);
      const to = target === null ? null : partOf(target, folder);
      if (to === null || from === to || floorOf(floors, to) < floorOf(floors, from)) return [];
      const direction = floorOf(floors, to) === floorOf(floors, from) ? 'sideways' : 'upwards';
      return [`${path}: imports ${target}, ${direction} from ${from} to ${to}`];
    });
  });
}

/** Finds relative imports of a tree that leave it by no bridge, or that lead to no file. */
export function findStrayArrows(
  modules: readonly Module[],
  files: ReadonlySet<string>,
  bridges: readonly Bridge[],
): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier }) => {
      const target = targetOf(path, specifier);
      if (target === null) return [];
      if (!files.has(target)) return [`${path}: imports ${specifier}, which is no file`];
      const isBridged = bridges.some(({ from, to }) => from.test(path) && to.test(target));
      if (rootOf(path) === rootOf(target) || isBridged) return [];
      return [`${path}: imports ${target}, which is not for ${rootOf(path)}`];
    }),
  );
}

/** Something that only some files may import. */
export interface Reserved {
  /** A package, or a pattern for the paths of files. */
  readonly target: string | RegExp;
  /** Files that may import it. */
  readonly importers: RegExp;
}

/** Finds imports of packages and files that are reserved for others. */
export function findForbiddenImports(modules: readonly Module[], reserved: readonly Reserved[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier }) => {
      const imported = targetOf(path, specifier) ?? specifier;
      return reserved
        .filter(({ target, importers }) => names(imported, target) && !importers.test(path))
        .map(() => `${path}: imports ${imported}, which is reserved for others`);
    }),
  );
}

/** Finds what loads something, or can, without showing what: neither floors nor reserved imports hold for it. */
export function findHiddenImports(modules: readonly Module[], exceptions: Exceptions): string[] {
  return modules
    .filter(({ path }) => keyFor(path, exceptions) === undefined)
    .flatMap(({ path, hidden }) =>
      hidden.map((text) => `${path}: ${text} hides what it loads; name it in a literal of an import`),
    );
}

/**
 * Finds exports that nothing imports.
 *
 * @param users more files that may use the exports, such as tests
 * @param entries files that Node runs by their names
 */
export function findUnusedExports(
  modules: readonly Module[],
  users: readonly Module[],
  entries: readonly string[],
): string[] {
  const used = new Map<string, Set<string>>();
  const whole = new Set(entries);
  for (const { path, imports } of [...modules, ...users]) {
    for (const { specifier, names: imported } of imports) {
      const target = targetOf(path, specifier);
      if (target === null || target === path) continue;
      if (imported === 'all') whole.add(target);
      else used.set(target, new Set([...(used.get(target) ?? []), ...imported]));
    }
  }
  return modules
    .filter(({ path }) => !whole.has(path) && !path.endsWith('.d.ts'))
    .flatMap(({ path, exports }) =>
      exports
        .filter((name) => used.get(path)?.has(name) !== true)
        .map((name) => `${path}: nothing imports its export ${name}`),
    );
}

/** Finds files that export what another file exports. */
export function findReexports(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, reexports }) =>
    reexports.map((specifier) => `${path}: exports again what ${specifier} exports`),
  );
}

/** The folder or file directly in a folder that a path belongs to; null outside of the folder. */
function partOf(path: string, folder: string): string | null {
  if (!path.startsWith(`${folder}/`)) return null;
  return path.slice(folder.length + 1).split('/')[0] ?? '';
}

function floorOf(floors: Floors, part: string): number {
  return floors.findIndex((parts) => parts.includes(part));
}

function rootOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function names(imported: string, target: string | RegExp): boolean {
  if (typeof target !== 'string') return target.test(imported);
  return imported === target || imported.startsWith(`${target}/`);
}
