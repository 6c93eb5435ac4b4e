/**
 * Says what follows a failed attempt at an endpoint, by the reason of the failure, at both layers. What layer 7 answers
 * stands in `l7/attempts/failure-rules.ts`, and what layer 4 counts in `l4/rejection.ts`.
 */
import type { CLUSTER_LIMITS } from '../../telemetry/metrics/label-values.ts';
import type { ConnectFailure } from '../endpoint.ts';

/** Why a cluster with endpoints gives out none. */
export type Limit = (typeof CLUSTER_LIMITS)[number];

interface FailureRow {
  /** Message of the log line. */
  readonly line: string;
  /** Whether the proxy itself ran short. Then the log line is an error, and no failure counts against the endpoint. */
  readonly isOwn: boolean;
  /** Whether another endpoint is tried: on the retry budget, without it, or not at all. */
  readonly retry: 'budgeted' | 'free' | 'none';
}

const ENDPOINT_FAILED: FailureRow = { line: 'endpoint failed', isOwn: false, retry: 'budgeted' };
const OWN_LINE = 'endpoint not dialled: own shortage';

/** One row for each reason. */
export const FAILURES: Readonly<Record<ConnectFailure, FailureRow>> = {
  refused: ENDPOINT_FAILED,
  timeout: ENDPOINT_FAILED,
  reset: ENDPOINT_FAILED,
  unreachable: ENDPOINT_FAILED,
  tls: ENDPOINT_FAILED,
  handshake: ENDPOINT_FAILED,
  other: ENDPOINT_FAILED,
  // Every other endpoint would fail in the same way.
  own_shortage: { line: OWN_LINE, isOwn: true, retry: 'none' },
  // Local ports run out towards one address. Nothing has left this machine, so a retry adds no load.
  own_ports: { line: OWN_LINE, isOwn: true, retry: 'free' },
};

/** Log detail of a dial that took longer than `connectTimeout`. */
export const CONNECT_TIMED_OUT = 'the endpoint did not accept in time';

/** Why a client's attempts have ended without an endpoint. */
export type AttemptsEnd = ConnectFailure | 'descriptors' | 'overload' | 'no_endpoint';

/**
 * Returns why the attempts have ended. The last failure comes before the limit that keeps others from being tried, but for
 * descriptors: those are the proxy's own shortage.
 */
export function attemptsEndOf({
  limit,
  lastFailure,
}: {
  readonly limit: Limit | null;
  readonly lastFailure: ConnectFailure | null;
}): AttemptsEnd {
  if (limit === 'descriptors') return limit;
  return lastFailure ?? (limit === null ? 'no_endpoint' : 'overload');
}
