/** The clusters of a live frame. */
import type { Steps } from '../../../core/timing/steps.ts';
import { MAX_LIVE_CLUSTERS, MAX_LIVE_ENDPOINTS, type LiveFrame } from '../../../protocol/admin/live.ts';
import { CLUSTER_LIMITS, CONNECT_FAILURES } from '../../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../telemetry/metrics/page-shapes.ts';
import type { ClusterMonitor } from '../../clusters/cluster-monitor.ts';
import type { ClusterMonitors } from '../../clusters/cluster-monitors.ts';
import type { EndpointRecord } from '../../clusters/endpoint-record.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import { topScores } from './top-scores.ts';

type LiveCluster = LiveFrame['clusters'][number];
type LiveEndpoint = LiveCluster['endpoints'][number];

/** The parts of the primary that provide the clusters of a frame. */
export interface ClusterFacts {
  readonly supervisor: Pick<Supervisor, 'sums' | 'directory'>;
  readonly clusters: Pick<ClusterMonitors, 'all'>;
}

/** Exceeds any number of connections, so that clusters and endpoints with problems come first. */
const ATTENTION = 2 ** 40;
/** Number of clusters or endpoints checked per step, which takes less than 1 ms. */
const CHECKS_PER_STEP = 500;
/** Number of endpoints written per step. */
const ENDPOINTS_PER_STEP = 100;

const { cluster: CLUSTER, endpoint: ENDPOINT } = pageShapes;
const CLUSTER_ACTIVE = CLUSTER.offsetOf(pageMetrics.clusterConnectionsActive)!;
const RETRIES = CLUSTER.offsetOf(pageMetrics.clusterRetries)!;
const REJECTIONS = Object.values(CLUSTER.offsetsBy(pageMetrics.clusterRejections, 'reason', CLUSTER_LIMITS));
const ACTIVE = ENDPOINT.offsetOf(pageMetrics.endpointConnectionsActive)!;
const ANSWERS = ENDPOINT.offsetOf(pageMetrics.endpointConnects)!;
const ANSWER_SECONDS = ENDPOINT.offsetOf(pageMetrics.endpointAnswerSeconds)!;
const SERVER_ERRORS = ENDPOINT.offsetOf(pageMetrics.endpointServerErrors)!;
const FAILURES = Object.values(
  ENDPOINT.offsetsBy(pageMetrics.endpointConnectFailures, 'reason', CONNECT_FAILURES),
);

/**
 * Reads the clusters of a frame, in steps. If there are too many, those with problems come first: in panic,
 * or with endpoints that are not up. Those with the most connections follow. The result keeps the order of
 * the configuration.
 *
 * @param isDrained returns whether a cluster is drained
 */
export function* liveClusters(
  facts: ClusterFacts,
  isDrained: (cluster: string) => boolean,
): Steps<LiveCluster[]> {
  const all = facts.clusters.all;
  const scores = new Float64Array(all.length);
  let checks = 0;
  for (const [index, monitor] of all.entries()) {
    const slot = clusterSlot(facts, monitor.config.name);
    const connections = slot === null ? 0 : facts.supervisor.sums.at(slot + CLUSTER_ACTIVE);
    scores[index] = connections + (needsAttention(monitor) ? ATTENTION : 0);
    checks += 1 + monitor.records.length;
    if (checks < CHECKS_PER_STEP) continue;
    checks = 0;
    yield;
  }
  const rows: LiveCluster[] = [];
  for (const index of topScores(scores, MAX_LIVE_CLUSTERS)) {
    const monitor = all[index]!;
    const endpoints = yield* liveEndpoints(facts, monitor);
    rows.push(clusterRow(facts, monitor, endpoints, isDrained(monitor.config.name)));
    yield;
  }
  return rows;
}

function needsAttention({ panic, records }: ClusterMonitor): boolean {
  return panic || records.some(({ health }) => health !== 'up');
}

function clusterRow(
  facts: ClusterFacts,
  { config, panic, records }: ClusterMonitor,
  endpoints: readonly LiveEndpoint[],
  drained: boolean,
): LiveCluster {
  const { name, balancer, maxConnections } = config;
  const slot = clusterSlot(facts, name);
  const { sums } = facts.supervisor;
  const read = (offset: number): number => (slot === null ? 0 : sums.at(slot + offset));
  let endpointsUp = 0;
  for (const { health } of records) if (health === 'up') endpointsUp++;
  return {
    name,
    balancer,
    panic,
    drained,
    connections: read(CLUSTER_ACTIVE),
    maxConnections,
    retries: read(RETRIES),
    rejections: REJECTIONS.reduce((sum, offset) => sum + read(offset), 0),
    endpointCount: records.length,
    endpointsUp,
    endpoints,
  };
}

function* liveEndpoints(facts: ClusterFacts, { config, records }: ClusterMonitor): Steps<LiveEndpoint[]> {
  let shown: readonly EndpointRecord[] = records;
  if (records.length > MAX_LIVE_ENDPOINTS) {
    const scores = new Float64Array(records.length);
    for (const [index, record] of records.entries()) {
      const slot = endpointSlot(facts, config.name, record);
      const connections = slot === null ? 0 : facts.supervisor.sums.at(slot + ACTIVE);
      scores[index] = connections + (record.health === 'up' ? 0 : ATTENTION);
      if (index % CHECKS_PER_STEP === CHECKS_PER_STEP - 1) yield;
    }
    shown = topScores(scores, MAX_LIVE_ENDPOINTS).map((index) => records[index]!);
  }
  const rows: LiveEndpoint[] = [];
  for (const record of shown) {
    rows.push(endpointRow(facts, record, endpointSlot(facts, config.name, record)));
    if (rows.length % ENDPOINTS_PER_STEP === 0) yield;
  }
  return rows;
}

function endpointRow(facts: ClusterFacts, record: EndpointRecord, slot: number | null): LiveEndpoint {
  const { health, since, reason, counts, lastProbe } = record;
  const { label, weight, priority } = record.facts;
  const { sums } = facts.supervisor;
  const read = (offset: number): number => (slot === null ? 0 : sums.at(slot + offset));
  const serverErrors = read(SERVER_ERRORS);
  let connectFailures = 0;
  for (const offset of FAILURES) connectFailures += read(offset);
  return {
    address: label,
    weight: Number(weight.toPrecision(6)),
    priority,
    state: health,
    since: new Date(since).toISOString(),
    reason,
    connections: read(ACTIVE),
    answers: read(ANSWERS) + serverErrors,
    serverErrors,
    connectFailures,
    ejections: counts.ejections,
    answerSeconds: read(ANSWER_SECONDS),
    probeSeconds: lastProbe === null ? null : lastProbe.ms / 1000,
  };
}

/** Returns the first slot of a cluster's series; null if a reload has just removed them. */
function clusterSlot({ supervisor }: ClusterFacts, cluster: string): number | null {
  const slot = supervisor.directory.find(pageMetrics.clusterConnectionsActive, { cluster });
  return slot === undefined ? null : slot - CLUSTER_ACTIVE;
}

/** Returns the first slot of an endpoint's series; null if a reload or lookup has just removed them. */
function endpointSlot({ supervisor }: ClusterFacts, cluster: string, record: EndpointRecord): number | null {
  const { label: endpoint, slot: lent } = record.facts;
  if (lent !== null) return lent;
  const slot = supervisor.directory.find(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
  return slot === undefined ? null : slot - ACTIVE;
}
