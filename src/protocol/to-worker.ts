/** What the primary says to a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/types.ts';
import type { ClusterState } from './cluster-state.ts';

export type WorkerKind = 'l4' | 'l7';

/** The payload of a worker's `serve` task: all that it needs to carry traffic. */
export interface WorkerStart {
  readonly kind: WorkerKind;
  /** `l7-0`, `l4-1`: the worker's label in metrics and logs, kept when it is started anew. */
  readonly name: string;
  readonly generation: number;
  /**
   * Listener addresses are concrete: port 0 has been replaced by the port that all workers share. So are the
   * engines of listeners of mode l4: `auto` has been replaced.
   */
  readonly config: Config;
  /** The names of all workers of both kinds, in one order everywhere. */
  readonly workers: readonly string[];
  /** Their stats pages, in the same order. */
  readonly pages: readonly SharedArrayBuffer[];
  /** Which of them this worker writes. */
  readonly page: number;
  /** What is known of the endpoints now; changes come as messages. */
  readonly clusters: readonly ClusterState[];
  /** Of this process, the same for all workers: what sticky cookies are made with where none is configured. */
  readonly secret: string;
  /** For {@link ToWorker} one way and `FromWorker` the other. */
  readonly port: MessagePort;
}

export type ToWorker = DrainCommand | FaultCommand | ClusterUpdate | EvictCommand;

/**
 * Stop accepting, close WebSockets with 1012, let tunnels finish until the grace is over, then end the task.
 * A second one with a grace of 0 ends at once.
 */
interface DrainCommand {
  readonly type: 'drain';
  readonly graceMs: number;
}

/** A cluster's endpoints have changed. */
interface ClusterUpdate {
  readonly type: 'cluster';
  readonly state: ClusterState;
}

/** End some of the connections of an endpoint: WebSockets with 1012, tunnels by closing them. */
export interface EvictCommand {
  readonly type: 'evict';
  readonly cluster: string;
  /** Its label. */
  readonly endpoint: string;
  readonly count: number;
  readonly perSecond: number;
  /** For close frames and the log. */
  readonly reason: string;
}

/** Throw an exception outside of any callback's own handling, as a bug would: for tests of supervision. */
interface FaultCommand {
  readonly type: 'fault';
}
