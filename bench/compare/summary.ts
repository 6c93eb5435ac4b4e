import { median } from '../figures/statistics.ts';
import { CURVE_PERCENTILES, type Sample } from './sample.ts';

/** Min fraction of connections that must resume a TLS session. The first connections have none to resume. */
export const MIN_RESUMED_SHARE = 0.95;

/** Medians over the rounds of one case with one target. */
export interface Summary {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly curve: readonly number[];
  readonly cpu: number | null;
  /** Spread of the rates: the highest minus the lowest, divided by the median. */
  readonly rateSpread: number;
  /** Spread of the CPU figures, calculated like {@link rateSpread}. */
  readonly cpuSpread: number;
  readonly failures: number;
  /** Lowest fraction of resumed TLS sessions; null if none should be resumed. */
  readonly resumed: number | null;
}

/**
 * Summarizes the rounds of one case.
 *
 * @param samples at least one
 */
export function summarize(samples: readonly Sample[]): Summary {
  const of = (key: 'rate' | 'p50' | 'p99' | 'p999'): number => median(samples.map((sample) => sample[key]));
  const resumed = samples.flatMap((sample) => sample.resumed ?? []);
  const cpus = samples.map(({ cpu }) => cpu).filter((cpu) => cpu !== null);
  return {
    rate: of('rate'),
    p50: of('p50'),
    p99: of('p99'),
    p999: of('p999'),
    curve: CURVE_PERCENTILES.map((_, index) => median(samples.map(({ curve }) => curve[index]!))),
    cpu: cpus.length === 0 ? null : median(cpus),
    rateSpread: spreadOf(samples.map(({ rate }) => rate)),
    cpuSpread: spreadOf(cpus),
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
    resumed: resumed.length === 0 ? null : Math.min(...resumed),
  };
}

function spreadOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const middle = median(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle;
}
