/** What a worker says to the primary. How its task ends says the rest: resolved when drained, rejected on a fault. */

export type FromWorker = ListeningReport | PreparedReport | LogReport | EndpointFailedReport;

/** Every listener of the worker's kind accepts connections under this generation. */
interface ListeningReport {
  readonly type: 'listening';
  readonly generation: number;
}

/** The worker is ready to change to a generation, or says what is in the way; nothing has changed then. */
interface PreparedReport {
  readonly type: 'prepared';
  readonly generation: number;
  readonly problem: string | null;
}

/** Finished log lines, each ending in a newline. */
interface LogReport {
  readonly type: 'log';
  readonly lines: string;
}

/** A dial of an endpoint, or a handshake with it, has failed. Sent for clusters with outlier detection only. */
interface EndpointFailedReport {
  readonly type: 'endpoint_failed';
  readonly cluster: string;
  /** Its label. */
  readonly endpoint: string;
}
