import type { OutlierFailure } from '../config/types/cluster.ts';

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

/** An endpoint has failed in a way that its cluster's outlier detection counts. */
interface EndpointFailedReport {
  readonly type: 'endpoint_failed';
  readonly failure: EndpointFailure;
}

export interface EndpointFailure {
  readonly cluster: string;
  /** Its label. */
  readonly endpoint: string;
  readonly kind: OutlierFailure;
  /** Failures of the kind since the last report of it. */
  readonly count: number;
  /** The IP address of the client that met the last; empty if it is not known. */
  readonly client: string;
}
