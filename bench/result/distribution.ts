import { build, type Histogram } from 'hdr-histogram-js';
import { MAX_TICKS, TICKS_PER_MS, ticksAt } from '../driver/measuring/latency-counts.ts';
import type { Statistic } from '../options/assertion.ts';

const DIGITS = 3;

/** Durations from all threads. Their counts are merged, so percentiles are exact over all threads. */
export class Distribution {
  readonly #histogram: Histogram = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_TICKS,
    numberOfSignificantValueDigits: DIGITS,
  });

  /** @param parts counts in the layout of LatencyCounts */
  constructor(parts: readonly Float64Array[]) {
    for (const counts of parts) {
      for (let index = 0; index < counts.length; index++) {
        const count = counts[index]!;
        if (count > 0) this.#histogram.recordValueWithCount(ticksAt(index), count);
      }
    }
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Returns a statistic in milliseconds; 0 if nothing was recorded. */
  read(statistic: Statistic): number {
    const histogram = this.#histogram;
    if (histogram.totalCount === 0) return 0;
    switch (statistic.kind) {
      case 'percentile':
        return histogram.getValueAtPercentile(statistic.percentile) / TICKS_PER_MS;
      case 'mean':
        return histogram.mean / TICKS_PER_MS;
      case 'min':
        return histogram.getValueAtPercentile(0) / TICKS_PER_MS;
      case 'max':
        // Not `maxValue`: it is the end of a range, and can be below the histogram's own 99.9th percentile.
        return histogram.getValueAtPercentile(100) / TICKS_PER_MS;
      case 'deviation':
        return histogram.stdDeviation / TICKS_PER_MS;
    }
  }

  percentile(percentile: number): number {
    return this.read({ kind: 'percentile', percentile });
  }
}
