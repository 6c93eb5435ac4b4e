/** The value of a configuration that consists of several files, and the file and position of each part. */
import type { Path, Position, SourceFile } from './source-file.ts';

/** One file of a configuration. */
export interface Part {
  /** Path for messages: as the user wrote it, from the working directory. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly file: SourceFile;
  /** Its place in the order of reading. */
  readonly order: number;
}

/** A value in a file. */
export interface Origin {
  readonly part: Part;
  readonly path: Path;
}

/** Position of a value, and its file. */
interface PartLocation {
  readonly part: Part;
  readonly position: Position;
  /** False if the value is missing: then the position is the surrounding mapping's or list's. */
  readonly found: boolean;
  /** True if other paths lead to the value too. */
  readonly isShared: boolean;
}

/** A problem of the files themselves, before any value is read. */
interface Remark {
  readonly part: Part;
  readonly position: Position;
  readonly message: string;
}

/** Files whose values are one configuration. */
export class Composition {
  root: unknown;
  readonly main: Part;
  /** Whether a file could not be read or joined. Then values are missing. */
  isBroken = false;
  /** Whether a file may have references to the environment. */
  hasReferences = false;
  readonly errors: Remark[] = [];
  readonly warnings: Remark[] = [];
  /**
   * Children of composed mappings and lists, by key or index. All others come from one file with their
   * surroundings.
   */
  readonly #origins = new Map<object, ReadonlyMap<string | number, Origin>>();

  constructor(main: Part) {
    this.main = main;
    this.root = main.file.root;
    this.add(main);
  }

  /** Returns a configuration of one file. @param name path for messages */
  static of(name: string, file: SourceFile): Composition {
    return new Composition({ name, path: name, file, order: 0 });
  }

  /** Takes over the remarks of a file. */
  add(part: Part): void {
    const { broken, duplicates, warnings } = part.file;
    if (broken !== null) this.isBroken = true;
    if (part.file.hasReferences) this.hasReferences = true;
    for (const remark of broken === null ? duplicates : [broken]) this.errors.push({ part, ...remark });
    for (const remark of warnings) this.warnings.push({ part, ...remark });
  }

  /** Records where the children of a composed mapping or list come from. */
  compose(container: object, origins: ReadonlyMap<string | number, Origin>): void {
    this.#origins.set(container, origins);
  }

  /** Adds an error at a value of a file. */
  error({ part, path }: Origin, message: string): void {
    this.isBroken = true;
    this.errors.push({ part, position: part.file.locate(path, false).position, message });
  }

  /** Adds a warning at a value of a file. */
  warning({ part, path }: Origin, message: string): void {
    this.warnings.push({ part, position: part.file.locate(path, false).position, message });
  }

  /** Returns `FILE:LINE:COLUMN` of a key or value of a file. */
  placeOf({ part, path }: Origin): string {
    const { line, column } = part.file.locate(path, true).position;
    return `${part.name}:${line}:${column}`;
  }

  /**
   * Finds the position of a value, or of the nearest surrounding mapping or list.
   *
   * @param path keys and indexes in the whole configuration
   * @param key true for the position of the value's key
   */
  locate(path: Path, key: boolean): PartLocation {
    const { part, path: pathInFile, isMissing } = this.#find(path);
    const location = part.file.locate(pathInFile, key);
    return { ...location, part, found: location.found && !isMissing };
  }

  /** Returns the file of a value, and its path there. A missing value has the origin of what is around it. */
  originOf(path: Path): Origin {
    return this.#find(path);
  }

  #find(path: Path): Origin & { readonly isMissing: boolean } {
    let origin: Origin = { part: this.main, path: [] };
    let value = this.root;
    for (const step of path) {
      const origins = typeof value === 'object' && value !== null ? this.#origins.get(value) : undefined;
      if (origins === undefined) {
        origin = { part: origin.part, path: [...origin.path, step] };
      } else {
        const child = origins.get(step);
        if (child === undefined) return { ...origin, isMissing: true };
        origin = child;
      }
      value = childOf(value, step);
    }
    return { ...origin, isMissing: false };
  }
}

function childOf(value: unknown, step: string | number): unknown {
  if (value instanceof Map) return value.get(step);
  return Array.isArray(value) ? (value as unknown[])[Number(step)] : undefined;
}
