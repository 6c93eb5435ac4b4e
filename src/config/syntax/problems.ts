/** Errors and warnings of a configuration, with their places. */
import type { ConfigProblem } from '../../core/errors.ts';
import type { Composition, Part } from './composition.ts';
import type { KeyObserver } from './key-observer.ts';
import type { OutsideValues } from './outside/outside-values.ts';
import type { Path, Position } from './source-file.ts';
import { listUsers } from './users.ts';

/** A value from the environment or the command line. */
interface Override {
  readonly path: Path;
  /** `--set path` or `environment NAME`. */
  readonly place: string;
}

interface Place {
  /** Order of the file in the configuration. */
  readonly order: number;
  /** Null if the place is outside the files. Such entries come last. */
  readonly position: Position | null;
  readonly place: string;
  /** True if several paths lead to the place because its block has aliases. */
  readonly isShared: boolean;
}

interface Entry extends Place {
  /** Null if the problem does not belong to a value. */
  readonly path: Path | null;
  readonly message: string;
}

/**
 * Max reported errors, and max reported warnings. Each is a line of output, or a log line at every reload.
 */
const MAX_PROBLEMS = 100;

/** Collects the errors and warnings of one load. */
export class Problems {
  /** Receives every mapping and value that is read. Null in a running proxy. */
  readonly observer: KeyObserver | null;
  /** Values from the environment and from files with one text. */
  readonly outside: OutsideValues;
  readonly #files: Composition;
  readonly #overrides: Override[] = [];
  /** Paths of short forms, by the paths in the long form. */
  readonly #shortened = new Map<string, Path>();
  readonly #errors: Entry[] = [];
  readonly #warnings: Entry[] = [];

  constructor(files: Composition, outside: OutsideValues, observer: KeyObserver | null = null) {
    this.observer = observer;
    this.outside = outside;
    this.#files = files;
    for (const { part, position, message } of files.errors) {
      this.#errors.push({ ...inFile(part, position, false), path: null, message });
    }
    for (const { part, position, message } of files.warnings) {
      this.#warnings.push({ ...inFile(part, position, false), path: null, message });
    }
  }

  /** Number of errors so far. */
  get errorCount(): number {
    return this.#errors.length;
  }

  /** Number of errors and warnings so far. */
  get count(): number {
    return this.#errors.length + this.#warnings.length;
  }

  /**
   * The first {@link MAX_PROBLEMS} errors in the order of the files. Errors in the environment and the command line
   * follow.
   */
  get errors(): readonly ConfigProblem[] {
    return this.#report(this.#errors, 'errors');
  }

  /** Warnings in the same order. */
  get warnings(): readonly ConfigProblem[] {
    return this.#report(this.#warnings, 'warnings');
  }

  /**
   * Records that a value does not come from the files. A later record of the same path replaces an earlier
   * one.
   */
  overridden(path: Path, place: string): void {
    this.outside.forget(path);
    this.#overrides.push({ path, place });
  }

  /**
   * Records that a short form is written in place of some values. Problems of these values then have its place
   * and its key.
   *
   * @param long paths of the values in the long form
   */
  standsFor(short: Path, long: readonly Path[]): void {
    for (const path of long) this.#shortened.set(keyOf(path), short);
    // Parts of a text are not as it was given.
    if (long.length === 1) this.outside.moveTo(long[0]!, short);
  }

  /** Whether two values come from the same file. */
  areInOneFile(one: Path, other: Path): boolean {
    return this.#files.originOf(one).part === this.#files.originOf(other).part;
  }

  /** Adds an error at a value, or at the mapping that lacks it. */
  error(path: Path, message: string): void {
    this.#errors.push({ ...this.#find(path, false), path, message: this.#explain(path, message) });
  }

  /** Adds an error at a key. */
  keyError(path: Path, message: string): void {
    this.#errors.push({ ...this.#find(path, true), path, message });
  }

  /** Adds an error about a single value. The message names the key, unless the place does. */
  valueError(path: Path, message: string): void {
    const found = this.#find(path, false);
    const key = this.#writtenPath(path).findLast((step) => typeof step === 'string');
    const named = this.#overrides.some(
      (override) => override.place === found.place && override.path.length === path.length,
    );
    const explained = this.#explain(path, message);
    const text = named || key === undefined ? explained : `${key}: ${explained}`;
    this.#errors.push({ ...found, path, message: text });
  }

  warning(path: Path, message: string): void {
    this.#warnings.push({ ...this.#find(path, false), path, message: this.#explain(path, message) });
  }

  /** Adds an error whose place is outside the file. */
  errorAt(place: string, message: string): void {
    this.#errors.push({ ...outside(place), path: null, message });
  }

  /** Adds a warning whose place is outside the file. */
  warningAt(place: string, message: string): void {
    this.#warnings.push({ ...outside(place), path: null, message });
  }

  /** Returns where a value comes from, such as `FILE:LINE:COLUMN`. */
  placeOf(path: Path): string {
    return this.#find(path, true).place;
  }

  /** Returns each problem once, in file order. */
  #report(entries: readonly Entry[], what: string): readonly ConfigProblem[] {
    const all = grouped(entries.toSorted(byPosition));
    const first = all.slice(0, MAX_PROBLEMS).map((group) => this.#describe(group));
    if (all.length <= MAX_PROBLEMS) return first;
    return [...first, { place: this.#files.main.name, message: `${all.length - MAX_PROBLEMS} more ${what}` }];
  }

  /** Names the users of an aliased block, because the position alone does not identify them. */
  #describe(group: readonly [Entry, ...Entry[]]): ConfigProblem {
    const { place, message } = group[0];
    if (!group.some(({ isShared }) => isShared)) return { place, message };
    const paths = group.flatMap(({ path }) => (path === null ? [] : [path]));
    return { place, message: `${message} (in ${listUsers(this.#files.root, paths)})` };
  }

  #explain(path: Path, message: string): string {
    const short = this.#shortened.get(keyOf(path));
    const explained = this.outside.explain(path, message);
    return short === undefined ? explained : this.outside.explain(short, explained);
  }

  #writtenPath(path: Path): Path {
    return this.#shortened.get(keyOf(path)) ?? path;
  }

  #find(long: Path, key: boolean): Place {
    const path = this.#writtenPath(long);
    const around = this.#overrides.findLast((override) => isPrefix(path, override.path));
    if (around !== undefined) return outside(around.place);
    const { part, position, found, isShared } = this.#files.locate(path, key);
    if (!found) {
      const below = this.#overrides.findLast((override) => isPrefix(override.path, path));
      if (below !== undefined) return outside(below.place);
    }
    return inFile(part, position, isShared);
  }
}

function inFile({ name, order }: Part, position: Position, isShared: boolean): Place {
  return { order, position, place: `${name}:${position.line}:${position.column}`, isShared };
}

function outside(place: string): Place {
  return { order: Infinity, position: null, place, isShared: false };
}

function keyOf(path: Path): string {
  return path.join('\0');
}

function isPrefix(path: Path, beginning: Path): boolean {
  return beginning.length <= path.length && beginning.every((step, index) => path[index] === step);
}

function byPosition(one: Entry, other: Entry): number {
  const { position: a } = one;
  const { position: b } = other;
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return one.order - other.order || a.line - b.line || a.column - b.column;
}

/** Groups entries by place and message: each alias of a block repeats the block's problems. */
function grouped(entries: readonly Entry[]): readonly (readonly [Entry, ...Entry[]])[] {
  const byText = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    const text = `${entry.place}: ${entry.message}`;
    const group = byText.get(text);
    if (group === undefined) byText.set(text, [entry]);
    else group.push(entry);
  }
  return [...byText.values()];
}
