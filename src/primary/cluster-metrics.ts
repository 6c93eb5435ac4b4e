import { primaryMetrics, type Metric } from '../telemetry/names.ts';
import type { Family } from '../telemetry/prometheus.ts';
import type { ClusterMonitor } from './cluster-monitor.ts';
import type { ClusterMonitors } from './cluster-monitors.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** The families of what the primary knows of clusters and their endpoints. */
export function clusterFamilies(clusters: ClusterMonitors): Family[] {
  const perCluster = (metric: Metric, value: (monitor: ClusterMonitor) => number): Family => ({
    metric,
    read: () =>
      clusters.all.map((monitor) => ({ labels: { cluster: monitor.config.name }, value: value(monitor) })),
  });
  const perEndpoint = (metric: Metric, value: (record: EndpointRecord) => number | null): Family => ({
    metric,
    read: () =>
      clusters.all.flatMap(({ config, records }) =>
        records.flatMap((record) => {
          const number = value(record);
          const labels = { cluster: config.name, endpoint: record.facts.label };
          return number === null ? [] : [{ labels, value: number }];
        }),
      ),
  });
  return [
    perEndpoint(primaryMetrics.endpointUp, ({ health }) => (health === 'up' ? 1 : 0)),
    perEndpoint(primaryMetrics.endpointEjections, ({ counts }) => counts.ejections),
    perEndpoint(primaryMetrics.endpointProbes, ({ counts }) => counts.probes),
    perEndpoint(primaryMetrics.endpointProbeFailures, ({ counts }) => counts.probeFailures),
    perEndpoint(primaryMetrics.endpointProbesUnmade, ({ counts }) => counts.probesUnmade),
    perEndpoint(primaryMetrics.endpointProbeDuration, ({ lastProbe }) =>
      lastProbe === null ? null : lastProbe.ms / 1000,
    ),
    perCluster(primaryMetrics.clusterPanic, ({ panic }) => (panic ? 1 : 0)),
    perCluster(primaryMetrics.nameLookups, ({ lookups }) => lookups.lookups),
    perCluster(primaryMetrics.nameLookupFailures, ({ lookups }) => lookups.failures),
    perCluster(primaryMetrics.evictions, ({ config }) => clusters.evictions(config.name)),
  ];
}
