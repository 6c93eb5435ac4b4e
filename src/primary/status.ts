import type { Config } from '../config/types.ts';
import { formatAddress } from '../core/address.ts';
import { CONNECT_FAILURES, pageMetrics } from '../telemetry/names.ts';
import type { PageSums } from '../telemetry/page-sums.ts';
import type { ClusterMonitor } from './cluster-monitor.ts';
import type { ClusterMonitors } from './cluster-monitors.ts';
import type { Versions } from './versions.ts';
import type { WorkerSlot } from './worker-slot.ts';

export type PrimaryState = 'starting' | 'ready' | 'draining';

interface StatusFacts {
  readonly config: Config;
  readonly slots: readonly WorkerSlot[];
  readonly sums: PageSums;
  readonly clusters: ClusterMonitors;
  readonly versions: Versions;
  readonly generation: number;
  readonly state: PrimaryState;
}

/** The answer of `/status`, to be written as JSON. */
export function statusOf({
  config,
  slots,
  sums,
  clusters,
  versions,
  generation,
  state,
}: StatusFacts): object {
  return {
    version: versions.sluice,
    node: versions.node,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    generation,
    state,
    workers: slots.map(({ name, kind, state, restarts }) => ({ name, kind, state, restarts })),
    listeners: config.listeners.map((listener) => ({
      name: listener.name,
      mode: listener.mode,
      address: formatAddress(listener.address),
      tls: listener.mode === 'l7' && listener.tls !== null,
      ...(listener.mode === 'l4' && { engine: listener.engine }),
    })),
    clusters: clusters.all.map((monitor) =>
      clusterStatus(monitor, sums, clusters.evictions(monitor.config.name)),
    ),
  };
}

function clusterStatus(
  { config, panic, records }: ClusterMonitor,
  sums: PageSums,
  evictions: number,
): object {
  const { name, balancer, maxConnections } = config;
  return {
    name,
    balancer,
    panic,
    activeConnections: sums.value(pageMetrics.clusterConnectionsActive, { cluster: name }),
    maxConnections,
    evictions,
    endpoints: records.map((record) => ({
      address: record.facts.label,
      weight: record.facts.weight,
      priority: record.facts.priority,
      state: record.health,
      since: new Date(record.since).toISOString(),
      reason: record.reason,
      ...endpointCounts(sums, name, record.facts.series),
      ejections: record.ejections,
      lastProbe:
        record.lastProbe === null
          ? null
          : {
              at: new Date(record.lastProbe.at).toISOString(),
              seconds: record.lastProbe.ms / 1000,
              failure: record.lastProbe.failure,
            },
    })),
  };
}

function endpointCounts(
  sums: PageSums,
  cluster: string,
  endpoint: string,
): { activeConnections: number; connectFailures: number } {
  const labels = { cluster, endpoint };
  let connectFailures = 0;
  for (const reason of CONNECT_FAILURES) {
    connectFailures += sums.value(pageMetrics.endpointConnectFailures, { ...labels, reason });
  }
  return { activeConnections: sums.value(pageMetrics.endpointConnectionsActive, labels), connectFailures };
}
