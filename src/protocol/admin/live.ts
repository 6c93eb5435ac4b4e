/**
 * A frame of `GET /live` at the admin address. The primary sends one each second, and the page and `sluice
 * top` show it. Counters start with the process, so readers can compute rates from any two frames.
 */
import type { BalancerName } from '../../config/types/cluster.ts';
import type { Listener } from '../../config/types/listener.ts';
import type { EndpointHealth } from '../cluster-state.ts';
import type { DrainStatus, ListenerStatus, PrimaryState, WorkerStatus } from './status.ts';

/** Max clusters in a frame: those that need attention first, then those with the most connections. */
export const MAX_LIVE_CLUSTERS = 100;
/** Max endpoints of a cluster in a frame, chosen like the clusters. */
export const MAX_LIVE_ENDPOINTS = 50;

export interface LiveFrame {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Version of sluice. */
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly state: PrimaryState;
  /** Why the process should get no traffic, in the words of `/readyz`; null if it is ready. */
  readonly notReady: string | null;
  /** Number of the current configuration. */
  readonly generation: number;
  readonly lastReloadSucceeded: boolean;
  /** ISO 8601 in UTC. */
  readonly lastReloadSuccessAt: string;
  readonly needsRestart: readonly string[];
  /** Whether commands are possible, which requires `admin.token`. */
  readonly takesCommands: boolean;
  readonly gauges: LiveGauges;
  readonly counters: LiveCounters;
  /** Handshake times of the last 10 seconds; null if there were none. */
  readonly handshakeSeconds: LiveQuantiles | null;
  readonly requestSeconds: LiveQuantiles | null;
  /** Counts of refusals and failures by kind and reason, without zeros. */
  readonly errors: readonly LiveError[];
  readonly workers: readonly LiveWorker[];
  readonly listeners: readonly LiveListener[];
  readonly drains: readonly DrainStatus[];
  /** At most {@link MAX_LIVE_CLUSTERS}. */
  readonly clusters: readonly LiveCluster[];
  /** Number of all clusters, including those that the frame omits. */
  readonly clusterCount: number;
}

/** Current values over all workers. */
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
  /** Payload bytes of sessions, and bytes of tunnels. */
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

interface LiveQuantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

interface LiveError {
  /** `handshake`, `request`, `connection`, `endpoint`, `limit`, `cluster`, … */
  readonly kind: string;
  /** The label `reason` of the metric. */
  readonly reason: string;
  readonly count: number;
}

interface LiveWorker extends WorkerStatus {
  /** Event loop delay in the last second. */
  readonly lagSeconds: number;
}

interface LiveListener extends Pick<ListenerStatus, 'name' | 'tls' | 'engine' | 'engineReason' | 'address'> {
  readonly mode: Listener['mode'];
  readonly connections: number;
  /** Whether the listener itself is draining. A drain of everything appears only in `drains`. */
  readonly drained: boolean;
  readonly certificates: readonly LiveCertificate[];
}

interface LiveCertificate {
  /** The label `certificate` of the metric of its expiry. */
  readonly name: string;
  /** ISO 8601 in UTC. */
  readonly notAfter: string;
}

interface LiveCluster {
  readonly name: string;
  readonly balancer: BalancerName;
  readonly panic: boolean;
  /** Whether the cluster itself is draining. A drain of everything appears only in `drains`. */
  readonly drained: boolean;
  readonly connections: number;
  /** 0 for no limit. */
  readonly maxConnections: number;
  /** Counter. */
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
  /** Why the endpoint is in this state; empty if it has been up since the start. */
  readonly reason: string;
  readonly connections: number;
  /** Counter. */
  readonly answers: number;
  readonly serverErrors: number;
  readonly connectFailures: number;
  readonly ejections: number;
  /** Total seconds of all answers. Divide by `answers` for the mean. */
  readonly answerSeconds: number;
  /** Duration of the last probe; null before the first. */
  readonly probeSeconds: number | null;
}
