/** Finds keys by what a person types. */
import { nearest } from '../../config/syntax/hints/nearest.ts';
import type { KnownKey, KnownKeys } from './known-keys.ts';

/**
 * Returns the key at a path, or the keys whose paths end in it. Ignores indexes of lists. Ignores case if no key
 * has the same case.
 */
export function findKeys(keys: KnownKeys, typed: string): readonly KnownKey[] {
  const name = namesOf(typed).join('.');
  const exact = keys.at(name);
  if (exact !== undefined) return [exact];
  const found = keys.all.filter(({ path }) => path.endsWith(`.${name}`));
  if (found.length > 0) return found;
  const lower = name.toLowerCase();
  return keys.all.filter(({ path }) => `.${path.toLowerCase()}`.endsWith(`.${lower}`));
}

/** Max suggestions in a message. */
const MAX_NEAR = 5;

/** Returns the paths of keys with a name like the typed one. */
export function nearKeys(keys: KnownKeys, typed: string): readonly string[] {
  const names = namesOf(typed);
  const ends = keys.all.map(({ path }) => ({ path, end: path.split('.').slice(-names.length).join('.') }));
  const near = nearest(names.join('.'), [...new Set(ends.map(({ end }) => end))]);
  return ends
    .filter(({ end }) => end === near)
    .map(({ path }) => path)
    .slice(0, MAX_NEAR);
}

/** Splits a path: `listeners[0].tls` and `listeners.0.tls` are `listeners` and `tls`. */
function namesOf(typed: string): readonly string[] {
  return typed.split(/[.[\]]+/).filter((step) => step !== '' && !/^\d+$/.test(step));
}
