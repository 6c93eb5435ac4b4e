import type { OutlierFailure } from '../../config/types/cluster.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConnectFailure, Endpoint } from '../endpoint.ts';
import type { Attempts } from './attempts.ts';
import type { FailureLog } from './failure-log.ts';

/** A failed attempt at an endpoint. */
interface FailedAttempt {
  readonly endpoint: Endpoint;
  readonly reason: ConnectFailure;
  /** A few words for the log. Null logs nothing. */
  readonly detail: string | null;
  /** Kind of failure for outlier detection. Null if it does not count against the endpoint. */
  readonly outlier: OutlierFailure | null;
  /** Absent at layer 4. */
  readonly requestId?: string;
}

/** Logs and counts a failed attempt, as {@link FAILURES} says. The caller may then call `Attempts.next`. */
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
