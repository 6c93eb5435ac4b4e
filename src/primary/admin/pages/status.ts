import type { Listener } from '../../../config/types/listener.ts';
import { formatAddress } from '../../../core/address.ts';
import type {
  ClusterStatus,
  EndpointStatus,
  ListenerStatus,
  PrimaryState,
  Status,
  WorkerStatus,
} from '../../../protocol/admin/status.ts';
import type { Labels } from '../../../telemetry/block-shape.ts';
import { CONNECT_FAILURES } from '../../../telemetry/metrics/label-values.ts';
import type { Metric } from '../../../telemetry/metrics/metric.ts';
import { pageMetrics, threadMetrics } from '../../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../telemetry/metrics/page-shapes.ts';
import type { LogOutputs } from '../../../telemetry/output/log-outputs.ts';
import type { ClusterMonitor } from '../../clusters/cluster-monitor.ts';
import type { ClusterMonitors } from '../../clusters/cluster-monitors.ts';
import type { EndpointRecord } from '../../clusters/endpoint-record.ts';
import type { Drains } from '../../control/drains.ts';
import type { Reloader } from '../../control/reloader.ts';
import type { Engines } from '../../process/engines.ts';
import type { Versions } from '../../process/versions.ts';
import type { TapService } from '../../tap/tap-service.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import type { WorkerSlot } from '../../workers/worker-slot.ts';
import { JSON_TYPE } from '../admin-answer.ts';
import { LazyList, jsonPieces } from './json-pieces.ts';
import type { PageText } from './page-body.ts';

const { endpoint: ENDPOINT } = pageShapes;
const ACTIVE = ENDPOINT.offsetOf(pageMetrics.endpointConnectionsActive)!;
const FAILURES = CONNECT_FAILURES.map((reason) =>
  ENDPOINT.offsetOf(pageMetrics.endpointConnectFailures, { reason })!,
);

/** The parts of the primary that provide the status. */
interface StatusFacts {
  readonly supervisor: Pick<
    Supervisor,
    'config' | 'slots' | 'leaving' | 'leftBehind' | 'sums' | 'generation' | 'count' | 'directory'
  >;
  readonly clusters: Pick<ClusterMonitors, 'all' | 'evictions'>;
  readonly reloader: Pick<Reloader, 'current' | 'lastSucceeded' | 'lastSuccessAt' | 'needsRestart'>;
  readonly drains: Pick<Drains, 'progress'>;
  readonly engines: Pick<Engines, 'choiceOf'>;
  readonly output: Pick<LogOutputs, 'states'>;
  readonly taps: Pick<TapService, 'active'>;
  readonly versions: Versions;
  readonly state: PrimaryState;
}

type LazyCluster = Omit<ClusterStatus, 'endpoints'> & { readonly endpoints: LazyList<EndpointStatus> };
/**
 * Lists are read while the text is consumed: there may be ten thousand endpoints, and counts sum over all
 * blocks.
 */
type LazyStatus = Omit<Status, 'workers' | 'listeners' | 'clusters'> & {
  readonly workers: LazyList<WorkerStatus>;
  readonly listeners: LazyList<ListenerStatus>;
  readonly clusters: LazyList<LazyCluster>;
};

/** Returns the body of `GET /status`. */
export function statusPage(facts: StatusFacts): PageText {
  return { type: JSON_TYPE, pieces: linesOf(facts) };
}

function* linesOf(facts: StatusFacts): Iterable<string> {
  yield* jsonPieces(statusOf(facts));
  yield '\n';
}

function statusOf(facts: StatusFacts): LazyStatus {
  const { supervisor, clusters, reloader, drains, output, taps, versions, state } = facts;
  const { config, leftBehind, generation } = supervisor;
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
    workers: lazily(workersOf(supervisor), (slot) => workerStatus(slot, supervisor)),
    leftBehind: leftBehind.count,
    taps: taps.active,
    logs: output.states,
    listeners: lazily(config.listeners, (listener) => listenerStatus(listener, facts)),
    clusters: lazily(clusters.all, (monitor) =>
      clusterStatus(monitor, supervisor, clusters.evictions(monitor.config.name)),
    ),
  };
}

/** Lists current workers, then draining ones, then stuck ones that were replaced. */
export function workersOf({
  slots,
  leaving,
  leftBehind,
}: Pick<Supervisor, 'slots' | 'leaving' | 'leftBehind'>): readonly WorkerSlot[] {
  // A stuck worker without a replacement keeps its slot.
  return [...slots, ...leaving, ...leftBehind.slots.filter((slot) => !slots.includes(slot))];
}

/** Returns the status of one worker. */
export function workerStatus(
  slot: WorkerSlot,
  supervisor: Pick<Supervisor, 'directory' | 'count'>,
): WorkerStatus {
  const { name, kind, state, restarts, generation, page } = slot;
  const values = new Float64Array(page);
  const read = (metric: (typeof threadMetrics)[keyof typeof threadMetrics]): number => {
    const at = supervisor.directory.find(metric, { worker: name });
    // The current configuration may not have the name of a draining worker.
    return at === undefined ? 0 : values[at]!;
  };
  return {
    name,
    kind,
    state,
    restarts,
    // Not from the page: a draining worker leaves its page's series to the successor of the same name.
    generation,
    connections: supervisor.count({ kind: 'all' }, page),
    olderConnections: read(threadMetrics.olderConnections),
    eventLoopUtilization: Math.round(read(threadMetrics.eventLoopUtilization) * 1000) / 1000,
  };
}

/** Returns the status of one listener of the current configuration. */
export function listenerStatus(
  listener: Listener,
  {
    supervisor,
    reloader,
    engines,
  }: Pick<StatusFacts, 'engines'> & {
    readonly supervisor: Pick<Supervisor, 'directory' | 'sums'>;
    readonly reloader: Pick<Reloader, 'current'>;
  },
): ListenerStatus {
  const { listeners, clusters } = reloader.current;
  const asRead = listeners.find(({ name }) => name === listener.name);
  return {
    name: listener.name,
    mode: listener.mode,
    address: formatAddress(listener.address),
    tls: listener.mode === 'l7' && listener.tls !== null,
    engine: listener.engine,
    engineReason: asRead === undefined ? '' : engines.choiceOf(asRead, clusters).reason,
    activeConnections: sumOf(supervisor, pageMetrics.connectionsActive, { listener: listener.name }),
  };
}

function clusterStatus(
  { config, panic, records }: ClusterMonitor,
  supervisor: StatusFacts['supervisor'],
  evictions: number,
): LazyCluster {
  const { name, balancer, maxConnections } = config;
  return {
    name,
    balancer,
    panic,
    activeConnections: sumOf(supervisor, pageMetrics.clusterConnectionsActive, { cluster: name }),
    maxConnections,
    evictions,
    endpoints: lazily(records, (record) => endpointStatus(name, record, supervisor)),
  };
}

function endpointStatus(
  cluster: string,
  record: EndpointRecord,
  { directory, sums }: StatusFacts['supervisor'],
): EndpointStatus {
  const { facts, health, since, reason, counts, lastProbe } = record;
  const labels = { cluster, endpoint: facts.label };
  // A reload may have removed the endpoint since the rendering began.
  const active = directory.find(pageMetrics.endpointConnectionsActive, labels);
  const block = active === undefined ? null : active - ACTIVE;
  let connectFailures = 0;
  if (block !== null) for (const offset of FAILURES) connectFailures += sums.at(block + offset);
  return {
    address: facts.label,
    weight: Number(facts.weight.toPrecision(6)),
    priority: facts.priority,
    state: health,
    since: new Date(since).toISOString(),
    reason,
    activeConnections: active === undefined ? 0 : sums.at(active),
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

/** Returns the sum over all workers; 0 if a reload has removed the series since the rendering began. */
function sumOf(
  { directory, sums }: Pick<Supervisor, 'directory' | 'sums'>,
  metric: Metric,
  labels: Labels,
): number {
  const slot = directory.find(metric, labels);
  return slot === undefined ? 0 : sums.at(slot);
}

function lazily<T, U>(values: readonly T[], map: (value: T) => U): LazyList<U> {
  return new LazyList(mapped(values, map));
}

function* mapped<T, U>(values: readonly T[], map: (value: T) => U): Iterable<U> {
  for (const value of values) yield map(value);
}
