/** What is wrong with a configuration, gathered while it is read, each with its place. */
import type { ConfigProblem } from '../../core/errors.ts';
import type { Path, Position, SourceFile } from './source-file.ts';

/** A value that did not come from the file. */
interface Override {
  readonly path: Path;
  /** `--set path` or `environment NAME`. */
  readonly place: string;
}

interface Entry extends ConfigProblem {
  /** Null for what stands in no file; such entries come last. */
  readonly position: Position | null;
}

/** Each becomes a line of output or of the log, at every attempt to reload. */
const MAX_PROBLEMS = 100;

export class Problems {
  readonly #file: string;
  readonly #source: SourceFile;
  readonly #overrides: Override[] = [];
  readonly #errors: Entry[] = [];
  readonly #warnings: Entry[] = [];

  /** @param file its name as the user wrote it */
  constructor(file: string, source: SourceFile) {
    this.#file = file;
    this.#source = source;
    for (const { position, message } of source.broken === null ? source.duplicates : [source.broken]) {
      this.#errors.push({ position, place: this.#placeOf(position), message });
    }
    for (const { position, message } of source.warnings) {
      this.#warnings.push({ position, place: this.#placeOf(position), message });
    }
  }

  /** Errors in the order of the file, then those of the environment and the command line; the first 100. */
  get errors(): readonly ConfigProblem[] {
    return this.#first(sorted(this.#errors), 'errors');
  }

  /** Warnings in the same order. */
  get warnings(): readonly ConfigProblem[] {
    return this.#first(sorted(this.#warnings), 'warnings');
  }

  /** Says that a value comes from elsewhere; a later one hides an earlier one of the same path. */
  overridden(path: Path, place: string): void {
    this.#overrides.push({ path, place });
  }

  /** An error at a value, or at the mapping that lacks it. */
  error(path: Path, message: string): void {
    this.#errors.push({ ...this.#find(path, false), message });
  }

  /** An error at a key. */
  keyError(path: Path, message: string): void {
    this.#errors.push({ ...this.#find(path, true), message });
  }

  /** An error of a value by itself; the key that it belongs to is named, unless its place names it. */
  valueError(path: Path, message: string): void {
    const found = this.#find(path, false);
    const key = path.findLast((step) => typeof step === 'string');
    const named = this.#overrides.some(
      (override) => override.place === found.place && override.path.length === path.length,
    );
    this.#errors.push({ ...found, message: named || key === undefined ? message : `${key}: ${message}` });
  }

  warning(path: Path, message: string): void {
    this.#warnings.push({ ...this.#find(path, false), message });
  }

  /** An error that stands in no file. */
  errorAt(place: string, message: string): void {
    this.#errors.push({ position: null, place, message });
  }

  /** A warning that stands in no file. */
  warningAt(place: string, message: string): void {
    this.#warnings.push({ position: null, place, message });
  }

  #first(all: readonly ConfigProblem[], what: string): readonly ConfigProblem[] {
    if (all.length <= MAX_PROBLEMS) return all;
    const rest = `${all.length - MAX_PROBLEMS} more ${what}`;
    return [...all.slice(0, MAX_PROBLEMS), { place: this.#file, message: rest }];
  }

  #find(path: Path, key: boolean): { position: Position | null; place: string } {
    const around = this.#overrides.findLast((override) => startsWith(path, override.path));
    if (around !== undefined) return { position: null, place: around.place };
    const { position, found } = this.#source.locate(path, key);
    if (!found) {
      const below = this.#overrides.findLast((override) => startsWith(override.path, path));
      if (below !== undefined) return { position: null, place: below.place };
    }
    return { position, place: this.#placeOf(position) };
  }

  #placeOf({ line, column }: Position): string {
    return `${this.#file}:${line}:${column}`;
  }
}

function startsWith(path: Path, beginning: Path): boolean {
  return beginning.length <= path.length && beginning.every((step, index) => path[index] === step);
}

function sorted(entries: readonly Entry[]): readonly ConfigProblem[] {
  const byPosition = entries.toSorted((a, b) => {
    if (a.position === null || b.position === null) {
      return Number(a.position === null) - Number(b.position === null);
    }
    return a.position.line - b.position.line || a.position.column - b.position.column;
  });
  return byPosition.map(({ place, message }) => ({ place, message }));
}
