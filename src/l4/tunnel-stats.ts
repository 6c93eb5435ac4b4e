import { ConnectionStats } from '../telemetry/connection-stats.ts';
import { pageMetrics } from '../telemetry/names.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

/** Where one layer 4 listener counts in one worker. Byte slots are plain numbers: `values[slot] += n`. */
export class TunnelStats {
  readonly connections: ConnectionStats;
  readonly values: Float64Array;
  readonly bytesDownstream: number;
  readonly bytesUpstream: number;
  readonly #active: number;
  readonly #total: number;

  /** @param all the values of every worker's page, this one's included */
  constructor(page: StatsPage, all: readonly Float64Array[], listener: string, cluster: string) {
    this.connections = new ConnectionStats(page, all, listener);
    this.values = page.values;
    const labels = { listener, cluster };
    this.bytesDownstream = page.slot(pageMetrics.tunnelBytes, { ...labels, direction: 'downstream' });
    this.bytesUpstream = page.slot(pageMetrics.tunnelBytes, { ...labels, direction: 'upstream' });
    this.#active = page.slot(pageMetrics.tunnelsActive, labels);
    this.#total = page.slot(pageMetrics.tunnels, labels);
  }

  opened(): void {
    this.values[this.#active]! += 1;
    this.values[this.#total]! += 1;
  }

  closed(): void {
    this.values[this.#active]! -= 1;
  }
}
