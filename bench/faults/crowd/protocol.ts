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
  /** Every session is open or has failed once, and traffic has begun. */
  readonly type: 'ready';
}

/** The events of a crowd's sessions. */
export interface CrowdLog {
  /** Opened sessions: when, and how long opening took from the first packet. */
  readonly opens: readonly Opening[];
  /** Sessions that ended without being closed by the crowd. */
  readonly ends: readonly Ending[];
  /** Attempts to open a session that failed. */
  readonly failures: readonly Ending[];
  /** Pairs: when a message was due, and how long the client waited for its reply, received or not. */
  readonly waits: Float64Array;
  /** Number of messages whose session ended before their reply arrived. */
  readonly lost: number;
}

export interface Opening {
  readonly at: number;
  readonly tookMs: number;
}

export interface Ending {
  /** When the close frame arrived. Without one, when the connection ended. */
  readonly at: number;
  /** A close code (1006 without a close frame), or an error. */
  readonly kind: string;
}
