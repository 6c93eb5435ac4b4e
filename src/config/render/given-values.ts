/** Replaces values of a rendered configuration by the way they were given. */
import { HIDDEN } from '../syntax/outside/hidden.ts';
import type { GivenValue } from '../syntax/outside/outside-values.ts';
import { escapeReferences } from '../syntax/outside/references.ts';
import type { Tree } from './tree.ts';

type Step = string | number;

/** An absolute path of a file or of a UNIX socket. */
const ABSOLUTE_PATH = /^(?:unix:)?\//;

/**
 * Returns a tree in which each given value is `${NAME}` or `{ file: PATH }` again. In all other texts, `${` becomes
 * `$${`, so that loading the output gives the same text.
 */
export function withGivenValues(tree: Tree, values: readonly GivenValue[]): unknown {
  const unplaced = new UnplacedValues(values);
  const placed = unplaced.place(tree, []);
  // A value may be in another place: the tree has long forms of short keys.
  return written(placed, new Map(unplaced.values.map(({ text, given }) => [text, given])));
}

/** A value of the tree that is printed as it was given. */
class Printed {
  readonly value: GivenValue['given'];

  constructor(value: GivenValue['given']) {
    this.value = value;
  }
}

/** Values that have no place in the tree yet. */
class UnplacedValues {
  readonly #byPath: Map<string, GivenValue>;

  constructor(values: readonly GivenValue[]) {
    this.#byPath = new Map(values.map((value) => [keyOf(value.path), value]));
  }

  get values(): readonly GivenValue[] {
    return [...this.#byPath.values()];
  }

  /** Returns a tree with {@link Printed} in the place of each value that has the same path there. */
  place(value: unknown, path: readonly Step[]): unknown {
    if (this.#byPath.size === 0) return value;
    const key = keyOf(path);
    const found = this.#byPath.get(key);
    if (found !== undefined && !isPartOf(value, found)) {
      this.#byPath.delete(key);
      return printed(value, found);
    }
    if (isListOfTexts(value)) return this.#placeInList(value, path);
    const placed = mapped(value, (child, step) => this.place(child, [...path, step]));
    if (!Array.isArray(placed) || placed.length !== 1) return placed;
    // The file may have the only entry without its list.
    return [mapped(placed[0], (child, step) => this.place(child, [...path, step]))];
  }

  /**
   * Finds items by their text: the loader sorts some lists. It also writes some in lower case, but an item of
   * the same text comes first.
   */
  #placeInList(list: readonly string[], path: readonly Step[]): readonly unknown[] {
    const exact = list.map((item) => this.#takeItem(list, path, (text) => text === item) ?? item);
    return exact.map((item) => {
      if (typeof item !== 'string') return item;
      return this.#takeItem(list, path, (text) => text.toLowerCase() === item) ?? item;
    });
  }

  /** Removes and returns the first value of a list that fits. Null if none does. */
  #takeItem(list: readonly string[], path: readonly Step[], fits: (text: string) => boolean): Printed | null {
    for (const index of list.keys()) {
      const key = keyOf([...path, index]);
      const found = this.#byPath.get(key);
      if (found === undefined || !fits(found.text)) continue;
      this.#byPath.delete(key);
      return new Printed(found.given);
    }
    return null;
  }
}

/** Returns what is printed for a value of the tree that has the path of a given value. */
function printed(value: unknown, { text, given }: GivenValue): unknown {
  if (typeof value !== 'string' || typeof given !== 'string' || value === text) return new Printed(given);
  // The loader completes paths and addresses: keep its part.
  const end = text.replace(/^\.\//, '');
  if (end !== '' && value.endsWith(end))
    return new Printed(escapeReferences(value.slice(0, -end.length)) + given);
  return ABSOLUTE_PATH.test(value) && !ABSOLUTE_PATH.test(text) ? value : new Printed(given);
}

/** Returns a tree of values to print. @param givenByText values without a place in the tree */
function written(value: unknown, givenByText: ReadonlyMap<string, GivenValue['given']>): unknown {
  if (value instanceof Printed) return value.value;
  if (typeof value !== 'string') return mapped(value, (child) => written(child, givenByText));
  const given = givenByText.get(value);
  if (given === undefined) return escapeReferences(value);
  // Not every place accepts a mapping.
  return typeof given === 'string' ? given : HIDDEN;
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Whether a value is a mapping that also has settings of other keys: a rate with its burst. */
function isPartOf(value: unknown, { path, given }: GivenValue): boolean {
  if (typeof given !== 'string' || typeof path.at(-1) === 'number') return false;
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Applies a function to each value of a list or mapping. Returns any other value itself. */
function mapped(value: unknown, map: (child: unknown, key: Step) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => map(item, index));
  if (value instanceof Map) {
    return new Map(
      [...(value as ReadonlyMap<string, unknown>)].map(([key, child]) => [key, map(child, key)]),
    );
  }
  if (typeof value !== 'object' || value === null || value instanceof Printed) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, map(child, key)]));
}

/** Returns a key of a path. The tree has the names of headers in lower case. */
function keyOf(path: readonly Step[]): string {
  const headers = path.indexOf('headers');
  if (headers === -1) return path.join('\0');
  return [...path.slice(0, headers), ...path.slice(headers).map((step) => String(step).toLowerCase())].join(
    '\0',
  );
}
