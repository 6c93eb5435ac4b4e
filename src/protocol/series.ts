/** The time series of an endpoint in the stats pages. */
import { isIP } from 'node:net';
import type { Endpoint } from '../config/types/cluster.ts';
import type { TcpAddress } from '../core/address.ts';
import { CONNECT_FAILURES } from '../telemetry/metrics/label-values.ts';
import type { Metric } from '../telemetry/metrics/metric.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import type { SeriesName } from '../telemetry/page-layout.ts';

/** Metrics in the order of their slots. The failures by reason follow. */
const ENDPOINT_METRICS: readonly Metric[] = [
  pageMetrics.endpointConnectionsActive,
  pageMetrics.endpointConnects,
  pageMetrics.endpointDials,
  pageMetrics.endpointServerErrors,
];

/** Returns the address of an entry that is a name, which stands for any number of endpoints; null for other entries. */
export function nameOf({ address }: Endpoint): TcpAddress | null {
  return address.kind === 'tcp' && isIP(address.host) === 0 ? address : null;
}

/**
 * Lists the series of an endpoint, each of one slot. The table of a configuration has the series of the endpoints that it
 * lists. Addresses behind a name get theirs lent, in this order in consecutive slots.
 */
export function endpointSeries(cluster: string, endpoint: string): readonly SeriesName[] {
  const labels = { cluster, endpoint };
  return [
    ...ENDPOINT_METRICS.map((metric) => ({ metric, labels })),
    ...CONNECT_FAILURES.map((reason) => ({
      metric: pageMetrics.endpointConnectFailures,
      labels: { ...labels, reason },
    })),
  ];
}

/** Returns the number of slots of an endpoint's series. */
export function endpointSlotCount(): number {
  return ENDPOINT_METRICS.length + CONNECT_FAILURES.length;
}
