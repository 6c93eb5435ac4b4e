import { median } from '../figures/statistics.ts';

/** Times of one case in each round, in nanoseconds, before and after the change. */
export interface Rounds {
  readonly name: string;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface Comparison {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** Median after divided by median before. */
  readonly ratio: number;
  /**
   * Whether every round of one side was faster than every round of the other. Otherwise the difference may be
   * noise.
   */
  readonly clear: boolean;
}

/** Compares medians, and checks whether the rounds overlap. */
export function compareRounds({ name, before, after }: Rounds): Comparison {
  const [old, now] = [median(before), median(after)];
  const clear = Math.max(...after) < Math.min(...before) || Math.min(...after) > Math.max(...before);
  return { name, before: old, after: now, ratio: now / old, clear };
}
