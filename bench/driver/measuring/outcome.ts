/** The replay counts of a thread. */
export interface ReplayCounts {
  /** Recorded clients that were started, played as recorded, and not played as recorded. */
  readonly begun: number;
  readonly played: number;
  readonly failed: number;
  /** Messages sent, and their payload. */
  readonly sent: number;
  readonly sentBytes: number;
  /** The first differences from the recording, one line each. */
  readonly differences: readonly string[];
}

/** The measurements of one thread. */
export interface Outcome {
  /** Counts in the layout of LatencyCounts. */
  readonly latency: Float64Array;
  /** Lateness of sent messages, in an open loop. */
  readonly lateness: Float64Array;
  readonly connect: Float64Array;
  readonly tls: Float64Array;
  readonly handshake: Float64Array;
  /** Messages answered in each second of the measured time. The last second may be cut short. */
  readonly messages: Float64Array;
  /** Payload bytes of these messages. */
  readonly bytes: Float64Array;
  /** Measured time. Less than planned if the run was stopped. */
  readonly measuredMs: number;
  /** Number of opened connections. */
  readonly opened: number;
  /** Connections that resumed a TLS session. */
  readonly resumed: number;
  readonly errors: ReadonlyMap<string, number>;
  /** Connections that the target closed, by close code, or by the kind of end for raw connections. */
  readonly closes: ReadonlyMap<string, number>;
  /** Messages in flight on connections that were lost. */
  readonly lost: number;
  /** Messages without a reply in time. */
  readonly unanswered: number;
  /** Messages of an open loop that never found a connection with room. */
  readonly unsent: number;
  /** Received messages that were not replies. */
  readonly unsolicited: number;
  /** Busy fraction of the measured time, 0 to 1. */
  readonly busy: number;
  /** CPU time of the whole process during the measurement, user and system, in milliseconds. */
  readonly cpuMs: number;
  /** Null for every scenario but `replay`. */
  readonly replay: ReplayCounts | null;
}
