import type { Listener } from '../../../config/types/listener.ts';
import { formatAddress } from '../../../core/address.ts';
import type {
  ClusterStatus,
  EndpointStatus,
  ListenerStatus,
  PrimaryState,
  Status,
  WorkerStatus,
} from '../../../protocol/status.ts';
import { CONNECT_FAILURES } from '../../../telemetry/metrics/label-values.ts';
import { pageMetrics, threadMetrics } from '../../../telemetry/metrics/page-metrics.ts';
import type { PageSums } from '../../../telemetry/page-sums.ts';
import type { ClusterMonitor } from '../../clusters/cluster-monitor.ts';
import type { ClusterMonitors } from '../../clusters/cluster-monitors.ts';
import type { EndpointRecord } from '../../clusters/endpoint-record.ts';
import type { Drains } from '../../control/drains.ts';
import type { Reloader } from '../../control/reloader.ts';
import type { Engines } from '../../process/engines.ts';
import type { Versions } from '../../process/versions.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import type { WorkerSlot } from '../../workers/worker-slot.ts';

/** The parts of the primary that the status is read from. */
interface StatusFacts {
  readonly supervisor: Pick<
    Supervisor,
    'config' | 'slots' | 'leaving' | 'leftBehind' | 'sums' | 'generation' | 'count' | 'directory'
  >;
  readonly clusters: Pick<ClusterMonitors, 'all' | 'evictions'>;
  readonly reloader: Pick<Reloader, 'current' | 'lastSucceeded' | 'lastSuccessAt' | 'needsRestart'>;
  readonly drains: Pick<Drains, 'progress'>;
  readonly engines: Pick<Engines, 'choiceOf'>;
  readonly versions: Versions;
  readonly state: PrimaryState;
}

/** Returns the body of `GET /status`. */
export function statusOf(facts: StatusFacts): Status {
  const { supervisor, clusters, reloader, drains, versions, state } = facts;
  const { config, slots, leaving, leftBehind, sums, generation } = supervisor;
  // A stuck worker that could not be replaced keeps its slot.
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
    workers: [...slots, ...leaving, ...stuck].map((slot) => workerStatus(slot, supervisor)),
    leftBehind: leftBehind.count,
    listeners: config.listeners.map((listener) => listenerStatus(listener, facts)),
    clusters: clusters.all.map((monitor) =>
      clusterStatus(monitor, sums, clusters.evictions(monitor.config.name)),
    ),
  };
}

function workerStatus(slot: WorkerSlot, supervisor: StatusFacts['supervisor']): WorkerStatus {
  const { name, kind, state, restarts, page } = slot;
  const values = new Float64Array(page);
  const read = (metric: (typeof threadMetrics)[keyof typeof threadMetrics]): number => {
    const at = supervisor.directory.find(metric, { worker: name });
    // The current configuration may lack the name of a worker that drains.
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

function listenerStatus(listener: Listener, { supervisor, reloader, engines }: StatusFacts): ListenerStatus {
  const { listeners, clusters } = reloader.current;
  const asRead = listeners.find(({ name }) => name === listener.name);
  return {
    name: listener.name,
    mode: listener.mode,
    address: formatAddress(listener.address),
    tls: listener.mode === 'l7' && listener.tls !== null,
    engine: listener.engine,
    engineReason: asRead === undefined ? '' : engines.choiceOf(asRead, clusters).reason,
    activeConnections: supervisor.sums.value(pageMetrics.connectionsActive, { listener: listener.name }),
  };
}

function clusterStatus(
  { config, panic, records }: ClusterMonitor,
  sums: PageSums,
  evictions: number,
): ClusterStatus {
  const { name, balancer, maxConnections } = config;
  return {
    name,
    balancer,
    panic,
    activeConnections: sums.value(pageMetrics.clusterConnectionsActive, { cluster: name }),
    maxConnections,
    evictions,
    endpoints: records.map((record) => endpointStatus(name, record, sums)),
  };
}

function endpointStatus(cluster: string, record: EndpointRecord, sums: PageSums): EndpointStatus {
  const { facts, health, since, reason, counts, lastProbe } = record;
  const labels = { cluster, endpoint: facts.label };
  let connectFailures = 0;
  for (const reason of CONNECT_FAILURES) {
    connectFailures += sums.value(pageMetrics.endpointConnectFailures, { ...labels, reason });
  }
  return {
    address: facts.label,
    weight: Number(facts.weight.toPrecision(6)),
    priority: facts.priority,
    state: health,
    since: new Date(since).toISOString(),
    reason,
    activeConnections: sums.value(pageMetrics.endpointConnectionsActive, labels),
    connectFailures,
    ejections: counts.ejections,
    lastProbe:
      lastProbe === null
        ? null
        : {
            at: new Date(lastProbe.at).toISOString(),
            seconds: lastProbe.ms / 1000,
            failure: lastProbe.failure,
          },
  };
}
