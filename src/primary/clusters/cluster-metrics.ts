import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import { namedAddress } from '../../core/address.ts';
import type { EndpointHealth } from '../../protocol/cluster-state.ts';
import type { Family } from '../../telemetry/exposition/family.ts';
import type { Metric } from '../../telemetry/metrics/metric.ts';
import { ENDPOINT_STATES } from '../../telemetry/metrics/label-values.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';
import type { ClusterMonitor } from './cluster-monitor.ts';
import type { ClusterMonitors } from './cluster-monitors.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** Returns the metrics of clusters and endpoints that the primary writes. */
export function clusterFamilies(clusters: Pick<ClusterMonitors, 'all' | 'evictions'>): Family[] {
  const perCluster = (
    metric: Metric,
    value: (monitor: ClusterMonitor) => number,
    isShown: (monitor: ClusterMonitor) => boolean = () => true,
  ): Family => ({
    metric,
    *read() {
      for (const monitor of clusters.all) {
        if (isShown(monitor)) yield { labels: { cluster: monitor.config.name }, value: value(monitor) };
      }
    },
  });
  // Clusters without DNS names have no lookup series.
  const perNames = (metric: Metric, value: (monitor: ClusterMonitor) => number): Family =>
    perCluster(metric, value, ({ config }) =>
      config.endpoints.some(({ address }) => namedAddress(address) !== null),
    );
  const perEndpoint = (
    metric: Metric,
    value: (record: EndpointRecord, config: ClusterConfig) => number | null,
  ): Family => ({
    metric,
    // A reload or a lookup may replace the lists during an iteration. Each loop keeps the list it began with.
    *read() {
      for (const { config, records } of clusters.all) {
        for (const record of records) {
          const number = value(record, config);
          if (number === null) continue;
          yield { labels: { cluster: config.name, endpoint: record.facts.label }, value: number };
        }
      }
    },
  });
  // Endpoints without probes have no probe series.
  const perProbed = (metric: Metric, value: (record: EndpointRecord) => number): Family =>
    perEndpoint(metric, (record, { healthCheck }) =>
      healthCheck === null && record.counts.probes === 0 ? null : value(record),
    );
  return [
    perEndpoint(primaryMetrics.endpointUp, ({ health }) => (health === 'up' ? 1 : 0)),
    perEndpoint(primaryMetrics.endpointEjections, ({ counts }) => counts.ejections),
    perProbed(primaryMetrics.endpointProbes, ({ counts }) => counts.probes),
    perProbed(primaryMetrics.endpointProbeFailures, ({ counts }) => counts.probeFailures),
    perProbed(primaryMetrics.endpointProbesUnmade, ({ counts }) => counts.probesUnmade),
    perEndpoint(primaryMetrics.endpointProbeDuration, ({ lastProbe }) =>
      lastProbe === null ? null : lastProbe.ms / 1000,
    ),
    {
      metric: primaryMetrics.clusterEndpoints,
      *read() {
        for (const { config, records } of clusters.all) {
          const counts: Record<EndpointHealth, number> = { up: 0, down: 0, ejected: 0, draining: 0 };
          for (const { health } of records) counts[health]++;
          for (const state of ENDPOINT_STATES) {
            yield { labels: { cluster: config.name, state }, value: counts[state] };
          }
        }
      },
    },
    perCluster(primaryMetrics.clusterPanic, ({ panic }) => (panic ? 1 : 0)),
    perNames(primaryMetrics.nameLookups, ({ lookups }) => lookups.lookups),
    perNames(primaryMetrics.nameLookupFailures, ({ lookups }) => lookups.failures),
    perNames(primaryMetrics.nameAddressesUnused, ({ leftOut }) => leftOut),
    perCluster(primaryMetrics.evictions, ({ config }) => clusters.evictions(config.name)),
  ];
}
