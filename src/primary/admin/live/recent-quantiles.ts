/** Quantiles of a histogram over the window. Times are in seconds. */
interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

interface Snapshot {
  /** Milliseconds on a monotonic clock. */
  readonly at: number;
  readonly counts: Float64Array;
}

const WINDOW_MS = 10_000;
/** After a longer pause, the counts since the last frame say nothing about the present. */
const MAX_GAP_MS = 15_000;

/** Computes the quantiles of a histogram over the last 10 seconds, from the difference of its buckets. */
export class RecentQuantiles {
  readonly #bounds: readonly number[];
  /** Oldest first. At most one is older than the window. */
  readonly #snapshots: Snapshot[] = [];

  /** @param bounds upper bounds of the buckets, ascending, without infinity */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  /**
   * Records the current counts.
   *
   * @param counts observations per bucket, not cumulative. The last element counts those above all bounds
   * @param at milliseconds on a monotonic clock
   * @returns null for the first counts, and without observations in the window
   */
  note(counts: Float64Array, at: number): Quantiles | null {
    const snapshots = this.#snapshots;
    const last = snapshots.at(-1);
    // A reload may have removed series and their counts.
    const hasShrunk = last !== undefined && counts.some((count, index) => count < last.counts[index]!);
    if (last !== undefined && (hasShrunk || at - last.at > MAX_GAP_MS)) snapshots.length = 0;
    while (snapshots.length > 1 && snapshots[1]!.at <= at - WINDOW_MS) snapshots.shift();
    const [oldest] = snapshots;
    snapshots.push({ at, counts: counts.slice() });
    return oldest === undefined ? null : this.#between(oldest.counts, counts);
  }

  #between(before: Float64Array, now: Float64Array): Quantiles | null {
    const grown = now.map((count, index) => count - before[index]!);
    const count = grown.reduce((sum, one) => sum + one, 0);
    if (count === 0) return null;
    return { count, p50: this.#quantile(grown, 0.5 * count), p99: this.#quantile(grown, 0.99 * count) };
  }

  /**
   * Returns the quantile at `rank`: linear within a bucket, and the last bound for observations above all
   * bounds.
   */
  #quantile(counts: Float64Array, rank: number): number {
    const bounds = this.#bounds;
    let passed = 0;
    for (const [index, bound] of bounds.entries()) {
      const count = counts[index]!;
      if (count > 0 && passed + count >= rank) {
        const lower = index === 0 ? 0 : bounds[index - 1]!;
        return lower + ((bound - lower) * (rank - passed)) / count;
      }
      passed += count;
    }
    return bounds.at(-1) ?? 0;
  }
}
