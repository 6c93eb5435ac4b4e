/** One mapping of the configuration, read key by key. */
import type { Format } from './formats.ts';
import { FormatError, describe, label } from './formats.ts';
import { nearest } from './nearest.ts';
import type { Problems } from './problems.ts';
import type { Path } from './source-file.ts';

/** A value and where it stands. */
export interface Located<T> {
  readonly value: T;
  readonly path: Path;
}

/** What a mapping is called in messages (`a listener`) and the keys that it may have. */
interface Shape {
  readonly what: string;
  readonly keys: readonly string[];
  /** What to say of some of the other keys. */
  readonly notes?: Readonly<Record<string, string>>;
}

/**
 * What is wrong is noted, not thrown, so that one reading finds every problem: a value that cannot be read is
 * replaced by its default or a placeholder, and the configuration is refused in the end.
 */
export class Section {
  readonly path: Path;
  readonly problems: Problems;
  readonly #what: string;
  readonly #values: ReadonlyMap<string, unknown>;

  private constructor(path: Path, problems: Problems, what: string, values: ReadonlyMap<string, unknown>) {
    this.path = path;
    this.problems = problems;
    this.#what = what;
    this.#values = values;
  }

  /** Null where the value is no mapping, which has been noted then. */
  static of(value: unknown, path: Path, problems: Problems, shape: Shape): Section | null {
    if (!isMapping(value)) {
      problems.valueError(path, notMapping(value, shape));
      return null;
    }
    for (const key of value.keys()) {
      if (!shape.keys.includes(key)) problems.keyError([...path, key], unknownKey(key, shape));
    }
    return new Section(path, problems, shape.what, value);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** The raw value. */
  raw(key: string): unknown {
    return this.#values.get(key);
  }

  /** A value that may be left out. */
  optional<T>(key: string, format: Format<T>, fallback: T): T {
    return this.has(key) ? this.#read(key, format, fallback) : fallback;
  }

  /** A value that must be there. The placeholder stands in for it in a configuration that is refused. */
  required<T>(key: string, format: Format<T>, placeholder: T): T {
    if (this.has(key)) return this.#read(key, format, placeholder);
    this.problem(`${this.#what} needs "${key}"`);
    return placeholder;
  }

  /** The key `name`, which must be there. A bad one is kept, so that what refers to it is not refused as well. */
  name(): string {
    const raw = this.raw('name');
    return this.required('name', label, typeof raw === 'string' ? raw : '');
  }

  /** A mapping that may be left out: null where it is, or is none. */
  section(key: string, shape: Shape): Section | null {
    return this.has(key) ? Section.of(this.raw(key), [...this.path, key], this.problems, shape) : null;
  }

  /** A mapping of which everything may be left out: empty where it is missing, left empty or none. */
  settings(key: string, shape: Shape): Section {
    const path = [...this.path, key];
    const value = this.raw(key) ?? new Map<string, unknown>();
    return (
      Section.of(value, path, this.problems, shape) ?? new Section(path, this.problems, shape.what, new Map())
    );
  }

  /** The elements of a list that must be there and not be empty; none where they cannot be read. */
  list(key: string, of: string): Located<unknown>[] {
    if (!this.has(key)) {
      this.problem(`${this.#what} needs "${key}"`);
      return [];
    }
    return this.#elements(key, of, 1);
  }

  /** The elements of a list that may be left out or be empty. */
  optionalList(key: string, of: string): Located<unknown>[] {
    return this.has(key) ? this.#elements(key, of, 0) : [];
  }

  /** Keys and values as they stand. */
  entries(): [string, unknown][] {
    return [...this.#values];
  }

  /** Notes what is wrong with the mapping as a whole. */
  problem(message: string): void {
    this.problems.error(this.path, message);
  }

  /** Notes what is wrong with a value that could be read. */
  problemAt(key: string, message: string): void {
    this.problems.valueError([...this.path, key], message);
  }

  #read<T>(key: string, format: Format<T>, fallback: T): T {
    return readValue(this.raw(key), [...this.path, key], this.problems, format, fallback);
  }

  #elements(key: string, of: string, min: number): Located<unknown>[] {
    const path = [...this.path, key];
    const value = this.raw(key);
    if (!Array.isArray(value)) {
      this.problems.valueError(path, `${describe(value)} is not a list: write a list of ${of}`);
      return [];
    }
    if (value.length < min) this.problems.valueError(path, `the list is empty: write at least one of ${of}`);
    return value.map((value: unknown, index) => ({ value, path: [...path, index] }));
  }
}

/** Reads one value; where its format refuses it, that is noted and the fallback returned. */
export function readValue<T>(
  value: unknown,
  path: Path,
  problems: Problems,
  format: Format<T>,
  fallback: T,
): T {
  try {
    return format(value);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.valueError(path, error.message);
    return fallback;
  }
}

export function isMapping(value: unknown): value is ReadonlyMap<string, unknown> {
  return value instanceof Map;
}

/** What to say of a value that should be a mapping. */
export function notMapping(value: unknown, { what, keys }: Shape): string {
  const remedy = keys.length === 0 ? '' : `: ${what} has ${keys.join(', ')}`;
  return `${describe(value)} is not a mapping${remedy}`;
}

/** What to say of a key that a mapping does not have. */
export function unknownKey(key: string, { what, keys, notes = {} }: Shape): string {
  if (Object.hasOwn(notes, key)) return notes[key]!;
  const near = nearest(key, keys);
  const remedy = near === undefined ? `it has ${keys.join(', ')}` : `did you mean "${near}"?`;
  return `unknown key ${describe(key)} in ${what}: ${remedy}`;
}
