/** The series that an endpoint has in the stats pages. */
import { isIP } from 'node:net';
import type { Endpoint } from '../config/types/cluster.ts';
import type { TcpAddress } from '../core/address.ts';
import type { Metric } from '../telemetry/metrics/metric.ts';
import { CONNECT_FAILURES } from '../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import type { SeriesName } from '../telemetry/page-layout.ts';

/** In the order of their slots; the failures by reason come after them. */
const ENDPOINT_METRICS: readonly Metric[] = [
  pageMetrics.endpointConnectionsActive,
  pageMetrics.endpointConnects,
  pageMetrics.endpointDials,
  pageMetrics.endpointServerErrors,
];

/** Returns the address of an entry that is a name, which stands for any number of endpoints; null for any other. */
export function nameOf({ address }: Endpoint): TcpAddress | null {
  return address.kind === 'tcp' && isIP(address.host) === 0 ? address : null;
}

/**
 * Lists the series of an endpoint, each of one slot. Endpoints that a configuration lists have them in its table; an
 * address that a name stands for gets them lent, in this order in consecutive slots.
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

/** Returns how many slots an endpoint's series take. */
export function endpointSlotCount(): number {
  return ENDPOINT_METRICS.length + CONNECT_FAILURES.length;
}
