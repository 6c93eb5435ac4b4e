import { median } from '../figures/statistics.ts';
import { CURVE_PERCENTILES, type Sample } from './sample.ts';

/** Fraction of the connections that resume a TLS session: the first ones have nothing to resume. */
export const RESUMED = 0.95;

/** Medians over the rounds of one case on one way. */
export interface Summary {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly curve: readonly number[];
  readonly cpu: number | null;
  /** How far the rates of the rounds are apart: the highest less the lowest, divided by the median. */
  readonly rateSpread: number;
  /** The same of CPU. */
  readonly cpuSpread: number;
  readonly failures: number;
  /** The lowest fraction of resumed TLS sessions; null if none should be resumed. */
  readonly resumed: number | null;
}

/** @param samples one at least */
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
