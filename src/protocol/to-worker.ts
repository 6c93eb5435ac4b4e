/** What the primary says to a worker. */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/types.ts';

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
  /** For {@link ToWorker} one way and `FromWorker` the other. */
  readonly port: MessagePort;
}

export type ToWorker = DrainCommand | FaultCommand;

/**
 * Stop accepting, close WebSockets with 1012, let tunnels finish until the grace is over, then end the task.
 * A second one with a grace of 0 ends at once.
 */
interface DrainCommand {
  readonly type: 'drain';
  readonly graceMs: number;
}

/** Throw an exception outside of any callback's own handling, as a bug would: for tests of supervision. */
interface FaultCommand {
  readonly type: 'fault';
}
