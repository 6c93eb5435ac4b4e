/** What is printed: mappings with the keys of a configuration file. */
import type { BlockSource } from '../syntax/context.ts';

/** A mapping, before it becomes YAML. */
export type Tree = Readonly<Record<string, unknown>>;

/** By the list of CIDR blocks that they make: what the file has in its place. */
export type BlockLists = ReadonlyMap<readonly string[], readonly BlockSource[]>;

/**
 * Writes `off` in place of a value that is not there, because what is inherited would count without the key.
 */
export function orOff<T>(value: T | null, write: (value: T) => unknown): unknown {
  return value === null ? 'off' : write(value);
}

/** Leaves out the keys whose value is null. */
export function without(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== null));
}
