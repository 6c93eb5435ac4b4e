/** The body of `GET /status` at the admin address. The primary fills it, the command line reads it. */
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
  /** Number of the current configuration. Each reload adds 1. */
  readonly generation: number;
  readonly lastReloadSucceeded: boolean;
  /** When the current configuration was loaded. */
  readonly lastReloadSuccessAt: string;
  /** Settings that changed in the file and take effect only after a restart. */
  readonly needsRestart: readonly string[];
  readonly state: PrimaryState;
  /** Sessions and tunnels open now. */
  readonly connections: number;
  readonly drains: readonly DrainStatus[];
  /** Current workers first, then draining ones, then stuck ones that were replaced. */
  readonly workers: readonly WorkerStatus[];
  /** Number of stuck workers' threads that have not ended. */
  readonly leftBehind: number;
  /** Number of running taps: see `POST /tap`. */
  readonly taps: number;
  /** The log, and the access log if it has its own file. */
  readonly logs: readonly LogStatus[];
  readonly listeners: readonly ListenerStatus[];
  readonly clusters: readonly ClusterStatus[];
}

export type PrimaryState = 'starting' | 'ready' | 'draining';

/** The progress of a drain. */
export interface DrainStatus {
  readonly scope: DrainScope;
  /** Sessions and tunnels at the start of the drain. For an endpoint, requests too. */
  readonly total: number;
  /** Open sessions and tunnels of the scope. For an endpoint, requests too. */
  readonly remaining: number;
  /**
   * Seconds from the start of the drain until now, or until nothing remained. 0 while the drain is only
   * announced.
   */
  readonly seconds: number;
}

/**
 * `waiting`: between a fault and the next start. `stuck`: the thread does not turn, or it turns again and
 * drains. `ended`: will not start again.
 */
export type WorkerState = 'starting' | 'up' | 'waiting' | 'draining' | 'stuck' | 'ended';

export interface WorkerStatus {
  readonly name: string;
  readonly kind: WorkerKind;
  readonly state: WorkerState;
  readonly restarts: number;
  /** Number of the worker's configuration. */
  readonly generation: number;
  /** Sessions and tunnels open now. */
  readonly connections: number;
  /** Sessions and tunnels that belong to earlier configurations. */
  readonly olderConnections: number;
  /** Fraction of the last second in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
}

export interface ListenerStatus {
  readonly name: string;
  readonly mode: Listener['mode'];
  readonly address: string;
  readonly tls: boolean;
  readonly engine: 'auto' | L4Engine | L7Engine;
  /** Why this engine was chosen. */
  readonly engineReason: string;
  readonly activeConnections: number;
}

export interface ClusterStatus {
  readonly name: string;
  readonly balancer: BalancerName;
  /** Whether the balancer uses endpoints that are down, because too few are up. */
  readonly panic: boolean;
  readonly activeConnections: number;
  /** Max open connections over all workers; 0 for no limit. */
  readonly maxConnections: number;
  /** Connections evicted since the start. */
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
  /** Why the endpoint is in this state; empty if it has been up since the start. */
  readonly reason: string;
  readonly activeConnections: number;
  readonly connectFailures: number;
  readonly ejections: number;
  /** The last completed probe; null before the first. */
  readonly lastProbe: ProbeStatus | null;
}

/** A destination of log lines. */
interface LogStatus {
  readonly log: 'log' | 'access';
  /** Path of the file; null for standard output. */
  readonly file: string | null;
  /** Lines lost since the start of the process. */
  readonly dropped: number;
  /** Why writes fail now; null if they are not known to fail. */
  readonly problem: string | null;
}

interface ProbeStatus {
  /** When the probe ended. */
  readonly at: string;
  readonly seconds: number;
  /** Why the probe failed; null if it succeeded. */
  readonly failure: string | null;
}
