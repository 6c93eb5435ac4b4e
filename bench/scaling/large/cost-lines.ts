import { fitLine, median, type Point } from '../../figures/statistics.ts';
import type { StartFigures } from './measurement.ts';
import type { LargeSizes } from './sizes.ts';

/** The dimensions in which a configuration grows. */
export const DIMENSIONS = ['worker', 'cluster', 'endpoint', 'route'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Configurations that differ in one dimension only. */
export interface CostSeries {
  readonly dimension: Dimension;
  readonly points: readonly { readonly count: number; readonly sizes: LargeSizes }[];
}

/** The cost of one more item of a dimension. */
export interface CostLine {
  readonly dimension: Dimension;
  /** The measured counts. */
  readonly counts: readonly number[];
  /** In bytes. */
  readonly memory: number;
  /** CPU time until the proxy is ready, in milliseconds. */
  readonly readyCpuMs: number;
}

/**
 * Returns the configurations to measure. The number of clusters changes while the total number of endpoints
 * stays the same: twice the clusters have half the endpoints each.
 */
export function seriesAround(sizes: LargeSizes): CostSeries[] {
  const { clusters, endpoints, routes } = sizes;
  const half = (value: number): number => Math.max(1, Math.round(value / 2));
  const all = clusters * endpoints;
  return [
    {
      dimension: 'worker',
      points: [1, 2, 4].map((count) => ({ count, sizes: { ...sizes, workers: count } })),
    },
    {
      dimension: 'cluster',
      points: [half(clusters), clusters, clusters * 2].map((count) => ({
        count,
        sizes: { ...sizes, clusters: count, endpoints: Math.max(1, Math.round(all / count)) },
      })),
    },
    {
      dimension: 'endpoint',
      points: [half(endpoints), endpoints, endpoints * 2].map((each) => ({
        count: clusters * each,
        sizes: { ...sizes, endpoints: each },
      })),
    },
    {
      dimension: 'route',
      points: [half(routes), routes, routes * 2].map((count) => ({
        count,
        sizes: { ...sizes, routes: count },
      })),
    },
  ];
}

/**
 * Fits a line through the medians at each count.
 *
 * @param rounds figures of each point of the series, at least one
 */
export function costLine(
  { dimension, points }: CostSeries,
  rounds: readonly (readonly StartFigures[])[],
): CostLine {
  const slope = (of: (figures: StartFigures) => number): number =>
    fitLine(points.map(({ count }, index): Point => [count, median(rounds[index]!.map(of))])).slope;
  return {
    dimension,
    counts: points.map(({ count }) => count),
    memory: slope(({ memory }) => memory),
    readyCpuMs: slope(({ readyCpuMs }) => readyCpuMs),
  };
}
