/** Messages between the main thread and a crowd's thread. Times are milliseconds on the monotonic clock. */
import type { MessagePort } from 'node:worker_threads';
import type { Plan } from '../../options/plan.ts';

export interface CrowdTask {
  readonly plan: Plan;
  readonly page: SharedArrayBuffer;
  readonly port: MessagePort;
  /** Whether clients that lose their session come back, after a while that grows. */
  readonly reopens: boolean;
}

export type ToCrowd =
  /** Every client drops its connection and comes back at once. */
  | { readonly type: 'storm' }
  /** Sends no more messages, waits for the replies in flight, and closes all sessions. */
  | { readonly type: 'stop' };

export interface FromCrowd {
  /** Every session is open, or has failed once; traffic has begun. */
  readonly type: 'ready';
}

/** All that has happened to a crowd's sessions. */
export interface CrowdLog {
  /** Sessions that came up: when, and how long that took from the first packet. */
  readonly opens: readonly Opening[];
  /** Sessions that ended and were not closed by the crowd. */
  readonly ends: readonly Ending[];
  /** Openings that failed. */
  readonly failures: readonly Ending[];
  /** In pairs: when a message was due, and how long its reply took, or was waited for in vain. */
  readonly waits: Float64Array;
  /** Messages whose session ended before their reply came. */
  readonly lost: number;
}

export interface Opening {
  readonly at: number;
  readonly tookMs: number;
}

export interface Ending {
  /** When the close frame came; without one, when the connection ended. */
  readonly at: number;
  /** A close code (1006 without a close frame), or an error. */
  readonly kind: string;
}
