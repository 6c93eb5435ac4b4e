import { formatAddress } from '../../core/address.ts';
import { CONNECT_FAILURES, pageMetrics, threadMetrics } from '../../telemetry/names.ts';
import type { PageSums } from '../../telemetry/page-sums.ts';
import type { ClusterMonitor } from '../clusters/cluster-monitor.ts';
import type { ClusterMonitors } from '../clusters/cluster-monitors.ts';
import type { Drains } from '../workers/drains.ts';
import type { Reloader } from '../process/reloader.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { Versions } from '../process/versions.ts';
import type { WorkerSlot } from '../workers/worker-slot.ts';

export type PrimaryState = 'starting' | 'ready' | 'draining';

interface StatusFacts {
  readonly supervisor: Pick<
    Supervisor,
    'config' | 'slots' | 'leaving' | 'leftBehind' | 'sums' | 'generation' | 'count' | 'directory'
  >;
  readonly clusters: ClusterMonitors;
  readonly reloader: Pick<Reloader, 'lastSucceeded' | 'lastSuccessAt' | 'needsRestart'>;
  readonly drains: Pick<Drains, 'progress'>;
  readonly versions: Versions;
  readonly state: PrimaryState;
}

/** The answer of `/status`, to be written as JSON. */
export function statusOf({ supervisor, clusters, reloader, drains, versions, state }: StatusFacts): object {
  const { config, slots, leaving, leftBehind, sums, generation } = supervisor;
  // One that could not be replaced has its place still.
  const stuck = leftBehind.slots.filter((slot) => !slots.includes(slot));
  return {
    version: versions.sluice,
    node: versions.node,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    generation,
    lastReloadSucceeded: reloader.lastSucceeded,
    lastReloadSuccessAt: new Date(reloader.lastSuccessAt).toISOString(),
    needsRestart: reloader.needsRestart,
    state,
    connections: supervisor.count({ kind: 'all' }),
    drains: drains.progress,
    workers: [...slots, ...leaving, ...stuck].map((slot) => workerOf(slot, supervisor)),
    leftBehind: leftBehind.count,
    listeners: config.listeners.map((listener) => ({
      name: listener.name,
      mode: listener.mode,
      address: formatAddress(listener.address),
      tls: listener.mode === 'l7' && listener.tls !== null,
      ...(listener.mode === 'l4' && { engine: listener.engine }),
      activeConnections: sums.value(pageMetrics.connectionsActive, { listener: listener.name }),
    })),
    clusters: clusters.all.map((monitor) =>
      clusterStatus(monitor, sums, clusters.evictions(monitor.config.name)),
    ),
  };
}

function workerOf(slot: WorkerSlot, supervisor: StatusFacts['supervisor']): object {
  const { name, kind, state, restarts, page } = slot;
  const values = new Float64Array(page);
  const read = (metric: (typeof threadMetrics)[keyof typeof threadMetrics]): number => {
    const at = supervisor.directory.find(metric, { worker: name });
    // A worker that leaves may have a name that the configuration does not have any more.
    return at === undefined ? 0 : values[at]!;
  };
  return {
    name,
    kind,
    state,
    restarts,
    generation: read(threadMetrics.generation),
    connections: supervisor.count({ kind: 'all' }, page),
    olderConnections: read(threadMetrics.olderConnections),
    eventLoopUtilization: Math.round(read(threadMetrics.eventLoopUtilization) * 1000) / 1000,
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
      weight: Number(record.facts.weight.toPrecision(6)),
      priority: record.facts.priority,
      state: record.health,
      since: new Date(record.since).toISOString(),
      reason: record.reason,
      ...endpointCounts(sums, name, record.facts.label),
      ejections: record.counts.ejections,
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
