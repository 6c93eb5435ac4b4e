import type { OutlierFailure } from '../../config/types/cluster.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConnectFailure, Endpoint } from '../endpoint.ts';
import type { Attempts } from './attempts.ts';
import type { FailureLog } from './failure-log.ts';

/** A failed attempt at an endpoint. */
interface FailedAttempt {
  readonly endpoint: Endpoint;
  readonly reason: ConnectFailure;
  /** A few words for the log line; null for no line. */
  readonly detail: string | null;
  /** The kind that the outlier detection counts; null if the failure does not count against the endpoint. */
  readonly outlier: OutlierFailure | null;
  /** Absent at layer 4. */
  readonly requestId?: string;
}

/** Logs a failed attempt and counts it, by its row in {@link FAILURES}. `Attempts.next` follows if another may be tried. */
export function failAttempt(
  attempts: Attempts,
  cluster: { readonly name: string; readonly failureLog: FailureLog },
  log: Logger,
  { endpoint, reason, detail, outlier, requestId }: FailedAttempt,
): void {
  if (detail !== null) {
    const place = { cluster: cluster.name, endpoint: endpoint.label };
    cluster.failureLog.write(log, { ...place, requestId, reason, detail });
  }
  attempts.fail(endpoint, reason, outlier);
}
