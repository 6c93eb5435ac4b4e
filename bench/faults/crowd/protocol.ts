/** Messages between the main thread and a crowd's thread. Times are milliseconds on the monotonic clock. */
import type { MessagePort } from 'node:worker_threads';
import type { Plan } from '../../options/plan.ts';

export interface CrowdTask {
  readonly plan: Plan;
  readonly page: SharedArrayBuffer;
  readonly port: MessagePort;
  /** Whether clients that lose their session reconnect, with a growing backoff. */
  readonly reopens: boolean;
}

export type ToCrowd =
  /** All clients drop their connections and reconnect at once. */
  | { readonly type: 'storm' }
  /** The crowd sends no more messages, waits for the replies in flight, and closes all sessions. */
  | { readonly type: 'stop' };

export interface FromCrowd {
  /** Every session is open or failed at its first attempt, and traffic has begun. */
  readonly type: 'ready';
}

/** The events of a crowd's sessions. */
export interface CrowdLog {
  /** Opened sessions. */
  readonly opens: readonly Opening[];
  /** Sessions that ended before the crowd closed them, including those that a storm dropped. */
  readonly ends: readonly Ending[];
  /** Failed attempts to open a session. */
  readonly failures: readonly Ending[];
  /** Pairs, one per message: its due time, and the wait for its reply, whether or not the reply arrived. */
  readonly waits: Float64Array;
  /** Messages whose session ended before their reply arrived. */
  readonly lost: number;
}

export interface Opening {
  readonly at: number;
  readonly tookMs: number;
}

export interface Ending {
  /** Time of the close frame. Without one, time when the connection ended. */
  readonly at: number;
  /** A close code (1006 without a close frame), an error, or `dropped by the client`. */
  readonly kind: string;
}
