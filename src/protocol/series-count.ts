import type { Config } from '../config/types/config.ts';
import { namedAddress } from '../core/address.ts';
import type { BlockShape } from '../telemetry/block-shape.ts';
import type { Metric } from '../telemetry/metrics/metric.ts';
import { pageShapes } from '../telemetry/metrics/page-shapes.ts';
import { primaryMetrics } from '../telemetry/metrics/primary-metrics.ts';
import { layoutOf } from './stats-layout.ts';

/** The labels that multiply series, the largest factor first. */
const KINDS = ['endpoint', 'route', 'cluster'] as const;
type SeriesKind = (typeof KINDS)[number] | 'other';

/** Number of series of `/metrics` by {@link SeriesKind}. */
type SeriesCount = Readonly<Record<SeriesKind, number>>;

/**
 * Counts the series of `/metrics` once every route and cluster has had traffic. Omits the few series of the
 * process and the counters that appear only with a failure. `endpoint` includes the series that
 * `metrics.endpoints` hides.
 */
export function countSeries(config: Config): SeriesCount {
  const count = { endpoint: 0, route: 0, cluster: 0, other: 0 };
  for (const { shape } of layoutOf(config, []).blocks) count[kindOf(shape.owner)] += seriesOf(shape);
  const endpoints = config.clusters.flatMap((cluster) => cluster.endpoints);
  // The layout has no blocks for DNS names: a name can have several addresses.
  const names = endpoints.filter(({ address }) => namedAddress(address) !== null).length;
  count.endpoint += names * seriesOf(pageShapes.endpoint) + endpoints.length * primarySeries('endpoint');
  count.cluster += config.clusters.length * primarySeries('cluster');
  return count;
}

function kindOf(labels: readonly string[]): SeriesKind {
  return KINDS.find((kind) => labels.includes(kind)) ?? 'other';
}

/** Counts the series of one block. A histogram has one per bucket, one for `+Inf`, its sum and its count. */
function seriesOf({ series }: BlockShape): number {
  return series.reduce((sum, { metric }) => sum + seriesOfOne(metric), 0);
}

function seriesOfOne({ buckets, sparse }: Metric): number {
  if (sparse === true) return 0;
  return buckets === undefined ? 1 : buckets.length + 3;
}

/** Counts the primary's metrics that have one series per owner of a kind. */
function primarySeries(kind: SeriesKind): number {
  return Object.values(primaryMetrics).filter(({ labels }) => kindOf(labels) === kind).length;
}
