import { ConnectionStats } from '../telemetry/connection-stats.ts';
import { TUNNEL_CLOSES } from '../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

type TunnelClose = (typeof TUNNEL_CLOSES)[number];

/** Counters of one layer 4 listener in one worker. Byte slots are plain indexes: `values[slot] += n`. */
export class TunnelStats {
  readonly connections: ConnectionStats;
  readonly values: Float64Array;
  readonly bytesDownstream: number;
  readonly bytesUpstream: number;
  readonly #active: number;
  readonly #total: number;
  readonly #closes: ReadonlyMap<TunnelClose, number>;

  /** @param all values of every worker's page, including this one */
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
    case 'tls_refused':
      return reason;
    case 'idle timeout':
      return 'idle_timeout';
    case 'half-close timeout':
      return 'half_close_timeout';
    // An eviction's reason is free text from the cluster's monitor.
    default:
      return 'evicted';
  }
}
