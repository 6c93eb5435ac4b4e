import type { Config } from '../config/types/config.ts';
import { nameIn } from '../core/address.ts';
import type { BlockShape } from '../telemetry/block-shape.ts';
import type { Metric } from '../telemetry/metrics/metric.ts';
import { pageShapes } from '../telemetry/metrics/page-shapes.ts';
import { primaryMetrics } from '../telemetry/metrics/primary-metrics.ts';
import { layoutOf } from './stats-layout.ts';

/** What most series are told apart by, the most numerous first. */
const KINDS = ['endpoint', 'route', 'cluster'] as const;
type SeriesKind = (typeof KINDS)[number] | 'other';

/** Series of `/metrics` by what they are told apart by. */
type SeriesCount = Readonly<Record<SeriesKind, number>>;

/**
 * Counts the series that `/metrics` has when every route and cluster has had traffic. Counters that appear with a failure are
 * not counted, nor the few series of the process. `endpoint` counts what the setting `metrics.endpoints` leaves out, too.
 */
export function countSeries(config: Config): SeriesCount {
  const count = { endpoint: 0, route: 0, cluster: 0, other: 0 };
  for (const { shape } of layoutOf(config, []).blocks) count[kindOf(shape.owner)] += seriesOf(shape);
  const endpoints = config.clusters.flatMap((cluster) => cluster.endpoints);
  // The layout has no blocks for names: each may get several addresses.
  const names = endpoints.filter(({ address }) => nameIn(address) !== null).length;
  count.endpoint += names * seriesOf(pageShapes.endpoint) + endpoints.length * primarySeries('endpoint');
  count.cluster += config.clusters.length * primarySeries('cluster');
  return count;
}

function kindOf(labels: readonly string[]): SeriesKind {
  return KINDS.find((kind) => labels.includes(kind)) ?? 'other';
}

/** Counts the series of one block. A histogram has one for each bucket, one above the last, its sum and its count. */
function seriesOf({ places }: BlockShape): number {
  return places.reduce((sum, { metric }) => sum + seriesOfOne(metric), 0);
}

function seriesOfOne({ buckets, sparse }: Metric): number {
  if (sparse === true) return 0;
  return buckets === undefined ? 1 : buckets.length + 3;
}

/** Counts the metrics of the primary with a series for each owner of a kind. */
function primarySeries(kind: SeriesKind): number {
  return Object.values(primaryMetrics).filter(({ labels }) => kindOf(labels) === kind).length;
}
