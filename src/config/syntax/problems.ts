/** The errors and warnings of a configuration, each with its place. */
import type { ConfigProblem } from '../../core/errors.ts';
import type { Path, Position, SourceFile } from './source-file.ts';

/** A value from the environment or the command line. */
interface Override {
  readonly path: Path;
  /** `--set path` or `environment NAME`. */
  readonly place: string;
}

interface Entry extends ConfigProblem {
  /** Null if the place is not in the file. Such entries come last. */
  readonly position: Position | null;
}

/** Max reported errors, and max reported warnings. Each is a line of output or of the log at every reload. */
const MAX_PROBLEMS = 100;

/** Collects the errors and warnings of one loading. */
export class Problems {
  readonly #file: string;
  readonly #source: SourceFile;
  readonly #overrides: Override[] = [];
  readonly #errors: Entry[] = [];
  readonly #warnings: Entry[] = [];

  /** @param file path as the user wrote it */
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

  /** The first {@link MAX_PROBLEMS} errors: in the order of the file, then of the environment and the command line. */
  get errors(): readonly ConfigProblem[] {
    return this.#first(sorted(this.#errors), 'errors');
  }

  /** Warnings in the same order. */
  get warnings(): readonly ConfigProblem[] {
    return this.#first(sorted(this.#warnings), 'warnings');
  }

  /** Records that a value does not come from the file. A later record hides an earlier one of the same path. */
  overridden(path: Path, place: string): void {
    this.#overrides.push({ path, place });
  }

  /** Adds an error at a value, or at the mapping that lacks it. */
  error(path: Path, message: string): void {
    this.#errors.push({ ...this.#find(path, false), message });
  }

  /** Adds an error at a key. */
  keyError(path: Path, message: string): void {
    this.#errors.push({ ...this.#find(path, true), message });
  }

  /** Adds an error of a value alone. The message names the key, unless the place names it. */
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

  /** Adds an error whose place is not in the file. */
  errorAt(place: string, message: string): void {
    this.#errors.push({ position: null, place, message });
  }

  /** Adds a warning whose place is not in the file. */
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

/** Returns each problem once, in the order of the file. */
function sorted(entries: readonly Entry[]): readonly ConfigProblem[] {
  const byPosition = entries.toSorted((a, b) => {
    if (a.position === null || b.position === null) {
      return Number(a.position === null) - Number(b.position === null);
    }
    return a.position.line - b.position.line || a.position.column - b.position.column;
  });
  // Each alias of a block has the block's problems again, at the same places.
  const byText = new Map<string, ConfigProblem>();
  for (const { place, message } of byPosition) byText.set(`${place}: ${message}`, { place, message });
  return [...byText.values()];
}
