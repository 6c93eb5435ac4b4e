import { ConnectionStats } from '../telemetry/connection-stats.ts';
import { ACCEPT_FAILURES, TUNNEL_CLOSES } from '../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

type TunnelClose = (typeof TUNNEL_CLOSES)[number];
type AcceptFailure = (typeof ACCEPT_FAILURES)[number];

/** The counters of one layer 4 listener in one worker. Byte slots are plain numbers: `values[slot] += n`. */
export class TunnelStats {
  readonly connections: ConnectionStats;
  readonly values: Float64Array;
  readonly bytesDownstream: number;
  readonly bytesUpstream: number;
  readonly #active: number;
  readonly #total: number;
  readonly #closes: ReadonlyMap<TunnelClose, number>;
  readonly #acceptFailures: ReadonlyMap<AcceptFailure, number>;

  /** @param all the values of every worker's page, this one's included */
  constructor(page: StatsPage, all: readonly Float64Array[], listener: string, cluster: string) {
    this.connections = new ConnectionStats(page, all, listener);
    this.values = page.values;
    const labels = { listener, cluster };
    this.bytesDownstream = page.slot(pageMetrics.tunnelBytes, { ...labels, direction: 'downstream' });
    this.bytesUpstream = page.slot(pageMetrics.tunnelBytes, { ...labels, direction: 'upstream' });
    this.#active = page.slot(pageMetrics.tunnelsActive, labels);
    this.#total = page.slot(pageMetrics.tunnels, labels);
    this.#closes = new Map(
      TUNNEL_CLOSES.map((reason) => [reason, page.slot(pageMetrics.tunnelCloses, { ...labels, reason })]),
    );
    this.#acceptFailures = new Map(
      ACCEPT_FAILURES.map((reason) => [reason, page.slot(pageMetrics.acceptFailures, { listener, reason })]),
    );
  }

  /** Counts a connection that could not be accepted, by the name of the system's error. Returns the reason. */
  acceptFailed(code: string): AcceptFailure {
    const reason = acceptFailureOf(code);
    this.values[this.#acceptFailures.get(reason)!]! += 1;
    return reason;
  }

  opened(): void {
    this.values[this.#active]! += 1;
    this.values[this.#total]! += 1;
  }

  /**
   * Counts the end of a tunnel.
   *
   * @param reason as in the log line
   */
  closed(reason: string): void {
    this.values[this.#active]! -= 1;
    this.values[this.#closes.get(tunnelCloseOf(reason))!]! += 1;
  }
}

function tunnelCloseOf(reason: string): TunnelClose {
  switch (reason) {
    case 'closed':
    case 'reset':
    case 'drained':
    case 'aborted':
    case 'fault':
      return reason;
    case 'idle timeout':
      return 'idle_timeout';
    case 'half-close timeout':
      return 'half_close_timeout';
    // The reason of an eviction is a text of the cluster's monitor.
    default:
      return 'evicted';
  }
}

function acceptFailureOf(code: string): AcceptFailure {
  switch (code) {
    case 'EMFILE':
      return 'process_limit';
    case 'ENFILE':
      return 'system_limit';
    case 'ENOMEM':
    case 'ENOBUFS':
      return 'memory';
    // Errors that a connection met before it was accepted (accept(2), Linux).
    case 'ECONNABORTED':
    case 'ENETDOWN':
    case 'EPROTO':
    case 'ENOPROTOOPT':
    case 'EHOSTDOWN':
    case 'ENONET':
    case 'EHOSTUNREACH':
    case 'EOPNOTSUPP':
    case 'ENETUNREACH':
    case 'EPERM':
      return 'aborted';
    default:
      return 'other';
  }
}
