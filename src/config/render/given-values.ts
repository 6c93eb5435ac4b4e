/** Replaces values of a rendered configuration by the way they were given. */
import { HIDDEN } from '../syntax/outside/hidden.ts';
import type { GivenValue } from '../syntax/outside/outside-values.ts';
import { escapeReferences } from '../syntax/outside/references.ts';
import type { Tree } from './tree.ts';

type Step = string | number;

/**
 * Returns a tree in which each given value is `${NAME}` or `{ file: PATH }` again. In all other texts, `${` becomes
 * `$${`, so that loading the output gives the same text.
 */
export function withGivenValues(tree: Tree, values: readonly GivenValue[]): unknown {
  const byPath = new Map(values.map((value) => [keyOf(value.path), value]));
  const placed = replaced(tree, [], byPath);
  // A text of a file may be in another place: the tree has long forms of short keys.
  const texts = new Set(
    [...byPath.values()].flatMap(({ given, text }) => (typeof given === 'string' ? [] : [text])),
  );
  return texts.size === 0 ? placed : withoutTexts(placed, texts);
}

/** Removes each placed value from `values`. */
function replaced(value: unknown, path: readonly Step[], values: Map<string, GivenValue>): unknown {
  const found = values.size === 0 ? undefined : values.get(keyOf(path));
  if (found !== undefined) {
    values.delete(keyOf(path));
    return found.given;
  }
  if (typeof value === 'string') return escapeReferences(value);
  return mapped(value, (below, key) => replaced(below, [...path, key], values));
}

function withoutTexts(value: unknown, texts: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return texts.has(value) ? HIDDEN : value;
  return mapped(value, (below) => withoutTexts(below, texts));
}

/** Applies a function to each value of a list or mapping. Returns any other value itself. */
function mapped(value: unknown, map: (below: unknown, key: Step) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => map(item, index));
  if (value instanceof Map) {
    return new Map(
      [...(value as ReadonlyMap<string, unknown>)].map(([key, below]) => [key, map(below, key)]),
    );
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, map(below, key)]));
}

/** The tree has the names of headers in lower case. */
function keyOf(path: readonly Step[]): string {
  return path.join('\0').toLowerCase();
}
