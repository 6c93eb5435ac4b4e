/**
 * A frame of `GET /live` at the admin address: the primary sends one each second, and the page and `sluice top` show it. Counters
 * count from the start of the process, so that a reader makes rates of any two frames.
 */
import type { BalancerName } from '../../config/types/cluster.ts';
import type { Listener } from '../../config/types/listener.ts';
import type { EndpointHealth } from '../cluster-state.ts';
import type { DrainStatus, ListenerStatus, PrimaryState, WorkerStatus } from './status.ts';

/** Max clusters of a frame: those that need attention first, then those with most connections. */
export const MAX_LIVE_CLUSTERS = 100;
/** Max endpoints of a cluster in a frame, chosen as the clusters are. */
export const MAX_LIVE_ENDPOINTS = 50;

export interface LiveFrame {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Version of sluice. */
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly state: PrimaryState;
  /** Why no traffic should come here, as `/readyz` says it; null if the process is ready. */
  readonly notReady: string | null;
  /** The number of the configuration in use. */
  readonly generation: number;
  readonly lastReloadSucceeded: boolean;
  /** ISO 8601 in UTC. */
  readonly lastReloadSuccessAt: string;
  readonly needsRestart: readonly string[];
  /** Whether an `admin.token` is set, so that commands are possible. */
  readonly takesCommands: boolean;
  readonly gauges: LiveGauges;
  readonly counters: LiveCounters;
  /** Times of the last 10 seconds; null without any. */
  readonly handshakeSeconds: LiveQuantiles | null;
  readonly requestSeconds: LiveQuantiles | null;
  /** Everything that was refused or has failed, by kind and reason, without counts of 0. */
  readonly errors: readonly LiveError[];
  readonly workers: readonly LiveWorker[];
  readonly listeners: readonly LiveListener[];
  readonly drains: readonly DrainStatus[];
  /** At most {@link MAX_LIVE_CLUSTERS}. */
  readonly clusters: readonly LiveCluster[];
  /** Number of all clusters. */
  readonly clusterCount: number;
}

/** What is true now, over all workers. */
interface LiveGauges {
  readonly connections: number;
  readonly sessions: number;
  readonly tunnels: number;
  readonly requests: number;
  readonly handshakes: number;
  /** Resident memory of the process. */
  readonly residentBytes: number;
  readonly bufferedBytes: number;
  readonly bufferBudgetBytes: number;
}

/** Totals since the start, over all workers. */
export interface LiveCounters {
  readonly connections: number;
  readonly sessions: number;
  readonly tunnels: number;
  readonly requests: number;
  /** Refused and failed handshakes. */
  readonly handshakeFailures: number;
  readonly messagesUpstream: number;
  readonly messagesDownstream: number;
  /** Payload of sessions, and bytes of tunnels. */
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

interface LiveQuantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

interface LiveError {
  /** In words: `handshake`, `request`, `connection`, `endpoint`, `limit`, `cluster`, … */
  readonly kind: string;
  /** The label `reason` of the metric. */
  readonly reason: string;
  readonly count: number;
}

interface LiveWorker extends WorkerStatus {
  /** Delay of the event loop in the last second. */
  readonly lagSeconds: number;
}

interface LiveListener extends Pick<ListenerStatus, 'name' | 'tls' | 'engine' | 'engineReason' | 'address'> {
  readonly mode: Listener['mode'];
  readonly connections: number;
  /** Whether a drain of its own is in force. A drain of everything stands in `drains` alone. */
  readonly drained: boolean;
  readonly certificates: readonly LiveCertificate[];
}

interface LiveCertificate {
  /** The label `certificate` of the metric of its end. */
  readonly name: string;
  /** ISO 8601 in UTC. */
  readonly notAfter: string;
}

interface LiveCluster {
  readonly name: string;
  readonly balancer: BalancerName;
  readonly panic: boolean;
  /** Whether a drain of its own is in force. A drain of everything stands in `drains` alone. */
  readonly drained: boolean;
  readonly connections: number;
  /** 0 for no limit. */
  readonly maxConnections: number;
  /** Counters. */
  readonly retries: number;
  readonly rejections: number;
  readonly endpointCount: number;
  /** Endpoints that take connections. */
  readonly endpointsUp: number;
  /** At most {@link MAX_LIVE_ENDPOINTS}. */
  readonly endpoints: readonly LiveEndpoint[];
}

interface LiveEndpoint {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  readonly state: EndpointHealth;
  /** ISO 8601 in UTC. */
  readonly since: string;
  /** Why the endpoint is in this state; empty if it has been up from the start. */
  readonly reason: string;
  readonly connections: number;
  /** Counters. */
  readonly answers: number;
  readonly serverErrors: number;
  readonly connectFailures: number;
  readonly ejections: number;
  /** Time that the endpoint took for its answers, all of them together. Divided by the answers it is the mean. */
  readonly answerSeconds: number;
  /** Duration of the last probe; null without one. */
  readonly probeSeconds: number | null;
}
