/** Messages from a worker to the primary. The worker's task resolves when it has drained, and rejects on a fault. */
import type { OutlierFailure } from '../config/types/cluster.ts';
import type { AccessReport } from './access.ts';
import type { SightReport } from './sight.ts';

export type FromWorker =
  AccessReport | SightReport | ListeningReport | PreparedReport | SettledReport | EndpointFailedReport;

/** Every listener of the worker's kind accepts connections under this generation. */
interface ListeningReport {
  readonly type: 'listening';
  readonly generation: number;
}

/** The answer to `prepare`. */
interface PreparedReport {
  readonly type: 'prepared';
  readonly generation: number;
  /** Why the worker cannot change to the generation, and has changed nothing; null if it is ready. */
  readonly problem: string | null;
}

/** The answer to `settle`. */
interface SettledReport {
  readonly type: 'settled';
  readonly generation: number;
}

/** An endpoint has had failures that its cluster's outlier detection counts. */
interface EndpointFailedReport {
  readonly type: 'endpoint_failed';
  readonly failure: EndpointFailure;
}

export interface EndpointFailure {
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  readonly kind: OutlierFailure;
  /** Failures of this kind since the last report. */
  readonly count: number;
  /** IP address of the client that met the last failure; empty if unknown. */
  readonly client: string;
}
