/** One mapping of the configuration, read key by key. */
import { placesOfKey, type Elsewhere } from './hints/elsewhere.ts';
import type { FormatDescription } from './format-description.ts';
import type { Format } from './formats.ts';
import { FormatError, describe, isOff, label } from './formats.ts';
import { nearest } from './hints/nearest.ts';
import type { Problems } from './problems.ts';
import type { Path } from './source-file.ts';
import { scalarOf } from './yaml/plain-yaml.ts';

/** Words that mean true or false in other files, and `off` here. */
const SWITCH = /^(?:on|off|yes|no|true|false)$/i;

/** A value and its path. */
export interface Located<T> {
  readonly value: T;
  readonly path: Path;
}

/** The name of a mapping in messages (`a listener`), and its allowed keys. */
interface Shape {
  readonly what: string;
  readonly keys: readonly string[];
  /** The key that a text or number in place of the mapping sets. */
  readonly short?: string;
  /** Messages for some unknown keys. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Returns what to write in place of a value that is not a mapping. Null for the list of keys. */
  readonly instead?: (value: unknown) => string | null;
  /** Sections that have some of the unknown keys. */
  readonly elsewhere?: readonly Elsewhere[];
}

/**
 * A mapping and its path. Collects errors instead of throwing, so that one load finds every problem. A
 * default or placeholder replaces an invalid value, and the loader refuses the configuration at the end.
 */
export class Section {
  readonly path: Path;
  readonly problems: Problems;
  readonly #what: string;
  readonly #short: string | null;
  readonly #values: ReadonlyMap<string, unknown>;

  private constructor(path: Path, problems: Problems, shape: Shape, values: ReadonlyMap<string, unknown>) {
    this.path = path;
    this.problems = problems;
    this.#what = shape.what;
    this.#short = shape.short ?? null;
    this.#values = values;
  }

  /**
   * Reads a mapping and adds an error for each unknown key. If the shape has a short key, a text or number is
   * a mapping of that key. If the value is neither, adds an error and returns null.
   */
  static of(value: unknown, path: Path, problems: Problems, shape: Shape): Section | null {
    problems.observer?.mapping(path, shape.what, shape.keys);
    if (shape.short !== undefined && isShort(value)) {
      problems.standsFor(path, [[...path, shape.short]]);
      return new Section(path, problems, shape, new Map([[shape.short, value]]));
    }
    if (!isMapping(value)) {
      problems.valueError(path, notMapping(value, shape));
      return null;
    }
    for (const key of value.keys()) {
      if (!shape.keys.includes(key)) problems.keyError([...path, key], unknownKey(key, shape));
    }
    return new Section(path, problems, shape, value);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Returns the raw value of a key. Undefined if the key is missing. */
  raw(key: string): unknown {
    return this.#values.get(key);
  }

  /** Whether a key has the word `off`. */
  isOff(key: string): boolean {
    return this.isForm(key, { type: 'off' }, isOff);
  }

  /** Whether a key has a form that is none of its formats. @param test decides it by the raw value */
  isForm(key: string, form: FormatDescription, test: (value: unknown) => boolean): boolean {
    this.problems.observer?.form?.([...this.path, key], form);
    return test(this.raw(key));
  }

  /** Reads an optional value. */
  optional<T>(key: string, format: Format<T>, fallback: T): T {
    this.problems.observer?.optional([...this.path, key], format, fallback);
    this.#observeShort(key, format);
    return this.has(key) ? this.#read(key, format, fallback) : fallback;
  }

  /** Reads a required value. The placeholder replaces a missing value; the configuration is refused later. */
  required<T>(key: string, format: Format<T>, placeholder: T): T {
    this.problems.observer?.required([...this.path, key], format);
    this.#observeShort(key, format);
    if (this.has(key)) return this.#read(key, format, placeholder);
    this.problem(`${this.#what} needs "${key}"`);
    return placeholder;
  }

  /**
   * Reads the required key `name`. Keeps an invalid name, so that references to it do not cause more errors.
   */
  name(): string {
    const raw = this.raw('name');
    return this.required('name', label, typeof raw === 'string' ? raw : '');
  }

  /** Reads an optional mapping. Returns null if it is missing or not a mapping. */
  section(key: string, shape: Shape): Section | null {
    return this.has(key) ? Section.of(this.raw(key), [...this.path, key], this.problems, shape) : null;
  }

  /** Reads a mapping without required keys. Returns an empty one if it is missing, empty or not a mapping. */
  settings(key: string, shape: Shape): Section {
    const path = [...this.path, key];
    this.problems.observer?.form?.(path, { type: 'empty' });
    const value = this.raw(key) ?? new Map<string, unknown>();
    return (
      Section.of(value, path, this.problems, shape) ?? new Section(path, this.problems, shape, new Map())
    );
  }

  /** Reads the elements of a required list that must not be empty. Returns an empty list if it is invalid. */
  list(key: string, of: string): Located<unknown>[] {
    if (!this.has(key)) {
      this.problem(`${this.#what} needs "${key}"`);
      return [];
    }
    return this.#elements(key, of, 1);
  }

  /** Reads the elements of an optional list, which may be empty. */
  optionalList(key: string, of: string): Located<unknown>[] {
    return this.has(key) ? this.#elements(key, of, 0) : [];
  }

  /** Reads a required value that is one entry or a list of at least one. */
  oneOrMore(key: string, of: string): Located<unknown>[] {
    return this.#single(key, of, 1) ?? this.list(key, of);
  }

  /** Reads an optional value that is one entry or a list, which may be empty. */
  anyNumber(key: string, of: string): Located<unknown>[] {
    return this.#single(key, of, 0) ?? this.optionalList(key, of);
  }

  /** Returns the only present key of `keys`. If there is not exactly one, adds an error and returns null. */
  only<const K extends string>(keys: readonly K[]): K | null {
    this.problems.observer?.only?.(this.path, keys);
    const [key, ...others] = keys.filter((each) => this.has(each));
    if (key !== undefined && others.length === 0) return key;
    this.problem(`${this.#what} needs exactly one of ${keys.join(', ')}`);
    return null;
  }

  /** Adds an error about the whole mapping. */
  problem(message: string): void {
    this.problems.error(this.path, message);
  }

  /** Adds an error about a value that has a valid format. */
  problemAt(key: string, message: string): void {
    this.problems.valueError([...this.path, key], message);
  }

  /** Returns an entry that stands alone. Null for a list, or without the key. */
  #single(key: string, of: string, min: number): Located<unknown>[] | null {
    const path = [...this.path, key];
    this.problems.observer?.single?.(path);
    this.problems.observer?.list(path, of, min);
    const value = this.raw(key);
    return this.has(key) && !Array.isArray(value) ? [{ value, path }] : null;
  }

  /** A mapping may be written as the value of its short key. */
  #observeShort(key: string, format: Format<unknown>): void {
    if (key === this.#short) this.problems.observer?.value?.(this.path, format);
  }

  #read<T>(key: string, format: Format<T>, fallback: T): T {
    return readValue(this.raw(key), [...this.path, key], this.problems, format, fallback);
  }

  #elements(key: string, of: string, min: number): Located<unknown>[] {
    const path = [...this.path, key];
    this.problems.observer?.list(path, of, min);
    const value = this.raw(key);
    if (!Array.isArray(value)) {
      this.problems.valueError(path, `${describe(value)} is not a list: write a list of ${of}`);
      return [];
    }
    if (value.length < min) this.problems.valueError(path, `the list is empty: write at least one of ${of}`);
    return value.map((value: unknown, index) => ({ value, path: [...path, index] }));
  }
}

/**
 * Reads one value. A value from outside is text, and also the number, boolean or empty value that YAML would read from
 * it. If its format refuses the value, adds an error and returns the fallback.
 */
export function readValue<T>(
  value: unknown,
  path: Path,
  problems: Problems,
  format: Format<T>,
  fallback: T,
): T {
  problems.observer?.value?.(path, format);
  try {
    return format(value);
  } catch (error) {
    const read = refusal(error);
    try {
      const text = problems.outside.textOf(value, path);
      if (text !== null) return readText(text, format);
      problems.valueError(path, read);
    } catch (error) {
      problems.valueError(path, refusal(error));
    }
    return fallback;
  }
}

/** Reads a text from outside. @throws FormatError */
function readText<T>(text: string, format: Format<T>): T {
  const scalar = scalarOf(text);
  // Only an empty text is an empty value: a token may be the word null.
  if (scalar === text || (scalar === null && text !== '')) return format(text);
  try {
    return format(text);
  } catch {
    return format(scalar);
  }
}

/** Returns the message of a format that refused a value. Throws any other error. */
function refusal(error: unknown): string {
  if (error instanceof FormatError) return error.message;
  throw error;
}

/** Whether a value of the file is a mapping. */
export function isMapping(value: unknown): value is ReadonlyMap<string, unknown> {
  return value instanceof Map;
}

/** Whether a value may stand for a mapping. Switches name no cookie, file or target: `sticky: on`. */
function isShort(value: unknown): boolean {
  return typeof value === 'string' ? !SWITCH.test(value) : typeof value === 'number';
}

/** Returns the message for a value that should be a mapping. */
export function notMapping(value: unknown, { what, keys, instead }: Shape): string {
  const fault = `${describe(value)} is not a mapping`;
  const wanted = instead?.(value) ?? null;
  if (wanted !== null) return `${fault}: ${wanted}`;
  return keys.length === 0 ? fault : `${fault}: ${what} has ${keys.join(', ')}`;
}

/** Returns the message for an unknown key. */
export function unknownKey(key: string, { what, keys, notes = {}, elsewhere = [] }: Shape): string {
  if (Object.hasOwn(notes, key)) return notes[key]!;
  if (/^\/[/*]/.test(key)) return `${describe(key)} is not a key: begin a comment with "#", in JSON too`;
  return `unknown key ${describe(key)} in ${what}: ${remedyFor(key, keys, elsewhere)}`;
}

function remedyFor(key: string, keys: readonly string[], elsewhere: readonly Elsewhere[]): string {
  const places = placesOfKey(key, elsewhere);
  if (places !== null) return `write ${places}`;
  const near = nearest(key, keys);
  return near === undefined ? `it has ${keys.join(', ')}` : `did you mean "${near}"?`;
}
