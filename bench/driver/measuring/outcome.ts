/** The replay counts of a thread. */
export interface ReplayCounts {
  /** Recorded clients that were begun, that were played as recorded, and that were not. */
  readonly begun: number;
  readonly played: number;
  readonly failed: number;
  /** Messages sent, and their payload. */
  readonly sent: number;
  readonly sentBytes: number;
  /** The first differences from the recording, a line each. */
  readonly differences: readonly string[];
}

/** The measurements of one thread. */
export interface Outcome {
  /** Counts in the layout of LatencyCounts. */
  readonly latency: Float64Array;
  /** How late messages were sent, in an open loop. */
  readonly lateness: Float64Array;
  readonly connect: Float64Array;
  readonly tls: Float64Array;
  readonly handshake: Float64Array;
  /** Messages answered in each second of the measured time. The last second may be cut short. */
  readonly messages: Float64Array;
  /** Payload of those messages. */
  readonly bytes: Float64Array;
  /** Measured time; less than planned if the run was stopped. */
  readonly measuredMs: number;
  /** Connections that were opened. */
  readonly opened: number;
  /** Connections whose TLS session had begun on an earlier one. */
  readonly resumed: number;
  readonly errors: ReadonlyMap<string, number>;
  /** Connections that the target closed, by close code, or by how a raw one ended. */
  readonly closes: ReadonlyMap<string, number>;
  /** Messages in flight on connections that were lost. */
  readonly lost: number;
  /** Messages without a reply in time. */
  readonly unanswered: number;
  /** Messages of an open loop that never found a connection with room. */
  readonly unsent: number;
  /** Messages that were no reply to anything. */
  readonly unsolicited: number;
  /** Share of the measured time in which the thread was busy, 0 to 1. */
  readonly busy: number;
  /** CPU that the whole process took meanwhile, user and system, in milliseconds. */
  readonly cpuMs: number;
  /** Null for every scenario but `replay`. */
  readonly replay: ReplayCounts | null;
}
