/** The kind of error of an echo with a wrong length. */
export const WRONG_LENGTH = 'reply of another length than the message';

/** The replay counts of a thread. */
export interface ReplayCounts {
  /** Recorded clients: started, played as recorded, not played as recorded. */
  readonly begun: number;
  readonly played: number;
  readonly failed: number;
  /** Messages sent, and their payload bytes. */
  readonly sent: number;
  readonly sentBytes: number;
  /** The first differences from the recording, one line each. */
  readonly differences: readonly string[];
}

/** The measurements of one thread. */
export interface Outcome {
  /** Counts in the layout of LatencyCounts. */
  readonly latency: Float64Array;
  /** Lateness of sent messages in an open loop, and of started clients in a replay. */
  readonly lateness: Float64Array;
  readonly connect: Float64Array;
  readonly tls: Float64Array;
  readonly handshake: Float64Array;
  /** Messages answered in each second of the measured time. The last second may be shorter. */
  readonly messages: Float64Array;
  /** Payload bytes of those messages. */
  readonly bytes: Float64Array;
  /** Measured time. Less than planned if the run was stopped. */
  readonly measuredMs: number;
  /** Connections opened. */
  readonly opened: number;
  /** Connections that resumed a TLS session. */
  readonly resumed: number;
  readonly errors: ReadonlyMap<string, number>;
  /** Connections closed by the target: by close code, or for raw connections by how they ended. */
  readonly closes: ReadonlyMap<string, number>;
  /** Messages in flight on lost connections. */
  readonly lost: number;
  /** Messages without a reply before the timeout. */
  readonly unanswered: number;
  /** Messages of an open loop that never found a connection with room. */
  readonly unsent: number;
  /** Received messages that were not replies. */
  readonly unsolicited: number;
  /** Fraction of the measured time in which the thread was busy, 0 to 1. */
  readonly busy: number;
  /** CPU time of the whole process during the measurement, user and system, in milliseconds. */
  readonly cpuMs: number;
  /** Null unless the scenario is `replay`. */
  readonly replay: ReplayCounts | null;
}
