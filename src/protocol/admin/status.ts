/** The body of `GET /status` at the admin address: the primary fills it, the command line reads it. */
import type { BalancerName } from '../../config/types/cluster.ts';
import type { L4Engine, L7Engine, Listener } from '../../config/types/listener.ts';
import type { EndpointHealth } from '../cluster-state.ts';
import type { DrainScope, WorkerKind } from '../to-worker.ts';

/** Times are ISO 8601 in UTC. */
export interface Status {
  /** Version of sluice. */
  readonly version: string;
  /** Version of Node. */
  readonly node: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** The number of the configuration in use; each reload adds 1. */
  readonly generation: number;
  readonly lastReloadSucceeded: boolean;
  /** When the configuration in use was loaded. */
  readonly lastReloadSuccessAt: string;
  /** Settings that have changed in the file, and that only a restart brings into force. */
  readonly needsRestart: readonly string[];
  readonly state: PrimaryState;
  /** Sessions and tunnels open now. */
  readonly connections: number;
  readonly drains: readonly DrainStatus[];
  /** Current workers first, then those that drain, then stuck ones that were replaced. */
  readonly workers: readonly WorkerStatus[];
  /** Threads of stuck workers that have not ended. */
  readonly leftBehind: number;
  /** Taps that run now: see `POST /tap`. */
  readonly taps: number;
  /** The log, and the access log if it has a file of its own. */
  readonly logs: readonly LogStatus[];
  readonly listeners: readonly ListenerStatus[];
  readonly clusters: readonly ClusterStatus[];
}

export type PrimaryState = 'starting' | 'ready' | 'draining';

/** The progress of a drain. */
export interface DrainStatus {
  readonly scope: DrainScope;
  /** Sessions and tunnels when the drain began; for an endpoint also requests. */
  readonly total: number;
  /** Sessions and tunnels of the scope open now; for an endpoint also requests. */
  readonly remaining: number;
  /** Duration of the drain until now, or until it had ended everything; 0 while the drain is only announced. */
  readonly seconds: number;
}

/**
 * `waiting`: between a fault and the next start. `stuck`: the thread does not turn, or turns again and drains.
 * `ended`: for good.
 */
export type WorkerState = 'starting' | 'up' | 'waiting' | 'draining' | 'stuck' | 'ended';

export interface WorkerStatus {
  readonly name: string;
  readonly kind: WorkerKind;
  readonly state: WorkerState;
  readonly restarts: number;
  /** Number of the configuration that the worker uses. */
  readonly generation: number;
  /** Sessions and tunnels open now. */
  readonly connections: number;
  /** Sessions and tunnels of earlier configurations. */
  readonly olderConnections: number;
  /** Share of the last second in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
}

export interface ListenerStatus {
  readonly name: string;
  readonly mode: Listener['mode'];
  readonly address: string;
  readonly tls: boolean;
  readonly engine: 'auto' | L4Engine | L7Engine;
  /** Why it is this engine. */
  readonly engineReason: string;
  readonly activeConnections: number;
}

export interface ClusterStatus {
  readonly name: string;
  readonly balancer: BalancerName;
  /** Whether endpoints that are down are used, because too few are up. */
  readonly panic: boolean;
  readonly activeConnections: number;
  /** Max open connections over all workers; 0 for no limit. */
  readonly maxConnections: number;
  /** Connections that the cluster was told to end, since the start. */
  readonly evictions: number;
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly address: string;
  /** Rounded to at most 6 significant digits. */
  readonly weight: number;
  readonly priority: number;
  readonly state: EndpointHealth;
  /** When the state began. */
  readonly since: string;
  /** Why the endpoint is in this state; empty if it has been up from the start. */
  readonly reason: string;
  readonly activeConnections: number;
  readonly connectFailures: number;
  readonly ejections: number;
  /** The last probe that could be made. */
  readonly lastProbe: ProbeStatus | null;
}

/** Where log lines go. */
interface LogStatus {
  readonly log: 'log' | 'access';
  /** Path of the file; null for standard output. */
  readonly file: string | null;
  /** Lines lost since the start of the process. */
  readonly dropped: number;
  /** Why lines cannot be written now; null if that is not known to fail. */
  readonly problem: string | null;
}

interface ProbeStatus {
  /** When the probe ended. */
  readonly at: string;
  readonly seconds: number;
  /** Why the probe failed; null if the endpoint is well. */
  readonly failure: string | null;
}
