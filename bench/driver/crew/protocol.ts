/** Messages between the main thread and the driver threads. */
import type { MessagePort } from 'node:worker_threads';
import type { Plan } from '../../options/plan.ts';
import type { RecordedClients } from '../../recorded/recorded-clients.ts';

/** The task of one driver thread. */
export interface DriveTask {
  readonly plan: Plan;
  /** IP address of the target. */
  readonly address: string;
  /** Index of the thread in the plan, from 0. */
  readonly thread: number;
  /** Memory of the run's LivePage. */
  readonly page: SharedArrayBuffer;
  readonly port: MessagePort;
  /** Prefix of every message that a fan-out publishes. It keeps two runs on one server apart. */
  readonly runId: string;
  /** The recording that a replay plays. Null for every other scenario. */
  readonly recorded: RecordedClients | null;
}

export type ToDriver =
  /** Starts the traffic at a time on the monotonic clock. */
  | { readonly type: 'start'; readonly at: number }
  /** Ends the thread at once. Its measurements so far count. */
  | { readonly type: 'stop' };

export interface FromDriver {
  /** Every connection of the thread is open, or failed at its first attempt. */
  readonly type: 'ready';
}
