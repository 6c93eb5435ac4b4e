import type { Mode } from '../peers/peer.ts';
import type { Sample } from './sample.ts';

/** Everything that a comparison has found: plain data, as it is kept in a file. */
export interface Comparison {
  readonly date: string;
  readonly machine: string;
  /** By the names of the ways that were compared; empty for `direct`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Peers that are not installed, or did not start. */
  readonly missing: readonly string[];
  /** How each peer was configured, by name. */
  readonly configs: Readonly<Record<string, string>>;
  /** How often the case that was measured most was measured. */
  readonly rounds: number;
  readonly durationMs: number;
  readonly pinned: boolean;
  readonly cases: readonly CaseResult[];
  readonly idle: readonly IdleResult[];
}

export interface CaseResult {
  readonly name: string;
  /** By way, one sample of each round. */
  readonly ways: Readonly<Record<string, readonly Sample[]>>;
}

export interface IdleResult {
  readonly mode: Mode;
  /** Bytes for each idle connection, by way, one figure of each time that it was measured. */
  readonly bytes: Readonly<Record<string, readonly number[]>>;
}

/** Joins two comparisons, the rounds of the first before the rounds of the second. */
export function joinComparisons(first: Comparison, second: Comparison): Comparison {
  const cases = joinBy(
    first.cases,
    second.cases,
    ({ name }) => name,
    (one, two) => ({ name: one.name, ways: joinLists(one.ways, two.ways) }),
  );
  return {
    ...second,
    missing: [...new Set([...first.missing, ...second.missing])],
    versions: { ...first.versions, ...second.versions },
    configs: { ...first.configs, ...second.configs },
    rounds: Math.max(...cases.flatMap(({ ways }) => Object.values(ways).map(({ length }) => length))),
    cases,
    idle: joinBy(
      first.idle,
      second.idle,
      ({ mode }) => mode,
      (one, two) => ({
        mode: one.mode,
        bytes: joinLists(one.bytes, two.bytes),
      }),
    ),
  };
}

function joinBy<T>(
  first: readonly T[],
  second: readonly T[],
  keyOf: (one: T) => string,
  join: (one: T, two: T) => T,
): T[] {
  const others = new Map(second.map((one) => [keyOf(one), one]));
  const joined = first.map((one) => {
    const other = others.get(keyOf(one));
    others.delete(keyOf(one));
    return other === undefined ? one : join(one, other);
  });
  return [...joined, ...others.values()];
}

function joinLists<T>(
  first: Readonly<Record<string, readonly T[]>>,
  second: Readonly<Record<string, readonly T[]>>,
): Record<string, readonly T[]> {
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  return Object.fromEntries(names.map((name) => [name, [...(first[name] ?? []), ...(second[name] ?? [])]]));
}
