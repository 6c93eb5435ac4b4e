/**
 * Messages from a worker to the primary. The worker's task resolves after its drain, and rejects on a fault.
 */
import type { OutlierFailure } from '../config/types/cluster.ts';
import type { AccessReport } from './access.ts';
import type { TelemetryReport } from './telemetry-report.ts';

export type FromWorker =
  AccessReport | TelemetryReport | ListeningReport | PreparedReport | SettledReport | EndpointFailedReport;

/** Reports that every listener of the worker accepts connections under this generation. */
interface ListeningReport {
  readonly type: 'listening';
  readonly generation: number;
}

/** Answers `prepare`. */
interface PreparedReport {
  readonly type: 'prepared';
  readonly generation: number;
  /** Why the worker refused the generation and changed nothing; null if it is prepared. */
  readonly problem: string | null;
}

/** Answers `settle`. */
interface SettledReport {
  readonly type: 'settled';
  readonly generation: number;
}

/** Reports failures for the cluster's outlier detection. */
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
  /** IP address of the client that saw the last failure; empty if unknown. */
  readonly client: string;
}
