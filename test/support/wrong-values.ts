/** Puts wrong values into a configuration, one at a time. */

type Owner = Record<string | number, unknown>;

/** A place in a configuration. */
interface Place {
  readonly owner: Owner;
  readonly key: string | number;
  /** Keys from the root, with `[]` for an element of a list. */
  readonly path: string;
}

/** A configuration with one wrong value. */
export interface Mistake {
  /** The place and the value. */
  readonly name: string;
  readonly path: string;
  readonly wrong: unknown;
}

/** Values of every kind. Each is wrong for nearly all keys but those of its kind. */
export const WRONG_VALUES: readonly unknown[] = [null, true, -1, 'zzz zzz', [], { zzz: 1 }];

/**
 * Writes a wrong value over each value of a configuration, calls a function, and restores the value. Values
 * at the same path of different elements count once.
 *
 * @param choose returns the wrong values for the path with this number, which has this value
 */
export function eachMistake(
  config: unknown,
  choose: (number: number, right: unknown) => readonly unknown[],
  check: (mistake: Mistake) => void,
): void {
  const seen = new Set<string>();
  for (const { owner, key, path } of [...placesIn(config, '')]) {
    if (seen.has(path)) continue;
    const right = owner[key];
    const wrongs = choose(seen.size, right);
    seen.add(path);
    for (const wrong of wrongs) {
      owner[key] = wrong;
      check({ name: `${path}: ${JSON.stringify(wrong)}`, path, wrong });
    }
    owner[key] = right;
  }
}

/** Returns another form of a value, which only some keys have: a list of it, or the only element of a list. */
export function otherForms(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [[value]];
  return value.length === 1 ? (value as unknown[]) : [];
}

/** Lists the scalars of a configuration, with functions that replace and restore them. */
export function* scalarsIn(config: unknown): Generator<{
  readonly path: string;
  readonly value: unknown;
  readonly put: (value: unknown) => void;
}> {
  for (const { owner, key, path } of [...placesIn(config, '')]) {
    const value = owner[key];
    if (typeof value !== 'object') yield { path, value, put: (other) => void (owner[key] = other) };
  }
}

/** Writes an unknown key into each mapping, calls a function, and removes the key. */
export function eachUnknownKey(config: unknown, key: string, check: (path: string) => void): void {
  const seen = new Set<string>();
  const root = { owner: { '': config } as Owner, key: '', path: '' };
  for (const { owner, key: at, path } of [root, ...placesIn(config, '')]) {
    const mapping = owner[at];
    if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping) || seen.has(path)) continue;
    seen.add(path);
    (mapping as Owner)[key] = 1;
    check(path);
    Reflect.deleteProperty(mapping, key);
  }
}

function* placesIn(value: unknown, path: string): Generator<Place> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, below] of Object.entries(value)) {
    const name = Array.isArray(value) ? `${path}[]` : path === '' ? key : `${path}.${key}`;
    yield { owner: value as Owner, key, path: name };
    yield* placesIn(below, name);
  }
}
