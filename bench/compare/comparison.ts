import type { Mode } from '../peers/peer.ts';
import type { Sample } from './sample.ts';

/** The results of a comparison, as plain data for a file. */
export interface Comparison {
  readonly date: string;
  readonly machine: string;
  /** Version of each target, by name. Empty for `direct`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Peers that are not installed or did not start, with the reason. */
  readonly missing: readonly string[];
  /** Configuration of each peer, by name. */
  readonly configs: Readonly<Record<string, string>>;
  /** Rounds of the case with the most rounds. */
  readonly rounds: number;
  readonly durationMs: number;
  readonly pinned: boolean;
  readonly cases: readonly CaseResult[];
  readonly idle: readonly IdleResult[];
}

export interface CaseResult {
  readonly name: string;
  /** One sample per round, by the target's name. */
  readonly ways: Readonly<Record<string, readonly Sample[]>>;
}

export interface IdleResult {
  readonly mode: Mode;
  /** Bytes per idle connection, one figure per measurement, by the target's name. */
  readonly bytes: Readonly<Record<string, readonly number[]>>;
}

/** Joins two comparisons. The rounds of the first come before the rounds of the second. */
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
