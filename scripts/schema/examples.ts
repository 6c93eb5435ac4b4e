/** Example values of keys, from configurations that contain every key. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SourceFile } from '../../src/config/syntax/source-file.ts';
import { WHOLE } from '../../test/unit/config/whole.ts';

const EXAMPLE = join(resolve(import.meta.dirname, '../..'), 'config/example.yaml');
/** Max characters of an example, which is one line of a terminal. */
const MAX_EXAMPLE_CHARACTERS = 60;

/** Finds values of keys. */
export class Examples {
  readonly #roots = [readFileSync(EXAMPLE, 'utf8'), WHOLE].map((text) => new SourceFile(text).root);

  /** Returns the first short value of a key that is no mapping. Undefined if there is none. */
  of(path: string): unknown {
    return this.#roots
      .flatMap((root) => valuesAt(root, path.split('.')))
      .find((value) => !isLong(value) && !isNested(value));
  }
}

/** Returns all values at a path, in any element of the lists on the way. */
function valuesAt(value: unknown, names: readonly string[]): readonly unknown[] {
  if (Array.isArray(value) && names.length > 0) return value.flatMap((each) => valuesAt(each, names));
  const [name, ...rest] = names;
  if (name === undefined) return [value];
  return value instanceof Map && value.has(name) ? valuesAt(value.get(name), rest) : [];
}

function isLong(value: unknown): boolean {
  return JSON.stringify(value).length > MAX_EXAMPLE_CHARACTERS;
}

function isNested(value: unknown): boolean {
  return value instanceof Map || value === null || (Array.isArray(value) && value.some(isNested));
}
