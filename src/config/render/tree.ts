/** Output mappings with the keys of a configuration file. */
import type { BlockSource } from '../syntax/context.ts';

/** A mapping, before it becomes YAML. */
export type Tree = Readonly<Record<string, unknown>>;

/** Sources of each list of CIDR blocks, as the file has them. */
export type BlockLists = ReadonlyMap<readonly string[], readonly BlockSource[]>;

/** Renders a missing value as `off`. Without the key, the inherited value would apply. */
export function orOff<T>(value: T | null, write: (value: T) => unknown): unknown {
  return value === null ? 'off' : write(value);
}

/** Omits the keys whose value is null. */
export function without(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== null));
}
