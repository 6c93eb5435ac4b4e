import { median } from '../report/median.ts';
import type { Sample } from './measure.ts';

/** Medians over the rounds of one case on one way. */
export interface Summary {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly cpu: number | null;
  /** How far the rates of the rounds are apart: the highest less the lowest, divided by the median. */
  readonly spread: number;
  readonly failures: number;
}

/** @param samples one at least */
export function summarize(samples: readonly Sample[]): Summary {
  const of = (key: 'rate' | 'p50' | 'p99' | 'p999'): number => median(samples.map((sample) => sample[key]));
  const rates = samples.map(({ rate }) => rate);
  const rate = median(rates);
  const cpus = samples.map(({ cpu }) => cpu).filter((cpu) => cpu !== null);
  return {
    rate,
    p50: of('p50'),
    p99: of('p99'),
    p999: of('p999'),
    cpu: cpus.length === 0 ? null : median(cpus),
    spread: rate === 0 ? 0 : (Math.max(...rates) - Math.min(...rates)) / rate,
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
  };
}
