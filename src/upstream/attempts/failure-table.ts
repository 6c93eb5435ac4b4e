/**
 * Decides what follows a failed attempt at an endpoint, by its reason, at both layers.
 * `l7/attempts/failure-rules.ts` has the responses of layer 7, `l4/rejection.ts` the counters of layer 4.
 */
import type { CLUSTER_LIMITS } from '../../telemetry/metrics/label-values.ts';
import type { ConnectFailure } from '../endpoint.ts';

/** Limits that keep a cluster with endpoints from returning one. */
export type Limit = (typeof CLUSTER_LIMITS)[number];

interface FailureRow {
  /** Message of the log line. */
  readonly line: string;
  /**
   * Whether the proxy lacked a resource. If so, the line is an error, and the failure does not count against
   * the endpoint.
   */
  readonly isLocal: boolean;
  /** Whether another endpoint is tried: within the retry budget, outside of it, or not at all. */
  readonly retry: 'budgeted' | 'free' | 'none';
}

const ENDPOINT_FAILED: FailureRow = { line: 'endpoint failed', isLocal: false, retry: 'budgeted' };
const LOCAL_LINE = 'endpoint not dialled: proxy out of resources';

/** One row for each reason. */
export const FAILURES: Readonly<Record<ConnectFailure, FailureRow>> = {
  refused: ENDPOINT_FAILED,
  timeout: ENDPOINT_FAILED,
  reset: ENDPOINT_FAILED,
  unreachable: ENDPOINT_FAILED,
  tls: ENDPOINT_FAILED,
  handshake: ENDPOINT_FAILED,
  other: ENDPOINT_FAILED,
  // All other endpoints would fail in the same way.
  own_shortage: { line: LOCAL_LINE, isLocal: true, retry: 'none' },
  // Local ports run out per destination address. Nothing has left this machine, so a retry adds no load.
  own_ports: { line: LOCAL_LINE, isLocal: true, retry: 'free' },
};

/** Log detail of a dial that exceeded `connectTimeout`. */
export const CONNECT_TIMED_OUT = 'the endpoint did not accept the connection in time';

/** Why a client's attempts ended without an endpoint. */
export type AttemptsEnd = ConnectFailure | 'descriptors' | 'overload' | 'no_endpoint';

/**
 * Returns why the attempts ended. The last failure takes precedence over the limit that prevented further
 * attempts. The exception is `descriptors`, the proxy's own shortage.
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
