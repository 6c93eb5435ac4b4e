/** Parses `--set path=value`: a dotted path with list indexes, and a YAML value. */
import { describe } from './formats.ts';
import { isMapping } from './section.ts';
import type { Path } from './source-file.ts';
import { parseValue } from './source-file.ts';

interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Parses `path=value`. Without an equals sign, the value is empty. */
export function parseOverride(text: string): Override {
  const end = text.indexOf('=');
  if (end < 0) return { path: text.split('.'), value: null };
  return { path: text.slice(0, end).split('.'), value: parseValue(text.slice(end + 1)) };
}

type Replaced =
  { readonly error: null; readonly value: unknown; readonly path: Path } | { readonly error: string };

/**
 * Copies a raw value and replaces the value at a path in the copy. Creates missing mappings along the path. A
 * list may grow by one.
 *
 * @param steps keys, and list indexes as digits
 * @returns the copy, and the path with its indexes as numbers; or an error
 */
export function replaceIn(target: unknown, steps: readonly string[], value: unknown): Replaced {
  const [step, ...rest] = steps;
  if (step === undefined) return { error: null, value, path: [] };
  if (step === '') return { error: 'the path has an empty part: write key.key=value' };
  if (Array.isArray(target)) return replaceElement(target, step, rest, value);
  if (target === null || target === undefined) {
    return /^\d+$/.test(step)
      ? replaceElement([], step, rest, value)
      : replaceKey(new Map(), step, rest, value);
  }
  if (isMapping(target)) return replaceKey(target, step, rest, value);
  return { error: `there is no "${step}" in ${describe(target)}` };
}

function replaceElement(
  list: readonly unknown[],
  step: string,
  rest: readonly string[],
  value: unknown,
): Replaced {
  const index = /^\d+$/.test(step) ? Number(step) : NaN;
  if (!(index <= list.length)) {
    const last = list.length === 0 ? 'it is empty' : `it has 0 to ${list.length - 1}`;
    return { error: `the list has no "${step}": ${last}, and ${list.length} adds one` };
  }
  const replaced = replaceIn(list[index], rest, value);
  if (replaced.error !== null) return replaced;
  return { error: null, value: list.toSpliced(index, 1, replaced.value), path: [index, ...replaced.path] };
}

function replaceKey(
  mapping: ReadonlyMap<string, unknown>,
  step: string,
  rest: readonly string[],
  value: unknown,
): Replaced {
  const replaced = replaceIn(mapping.get(step), rest, value);
  if (replaced.error !== null) return replaced;
  return { error: null, value: new Map(mapping).set(step, replaced.value), path: [step, ...replaced.path] };
}
