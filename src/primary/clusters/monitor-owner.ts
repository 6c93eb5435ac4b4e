import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { EventFacts } from '../../protocol/admin/events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { MonitorTools } from './monitor-tools.ts';
import type { Successes } from './outlier-detector.ts';

/** The owner of all clusters' monitors. */
export interface MonitorOwner {
  readonly log: Logger;
  readonly tools: MonitorTools;
  /** Sends the state to the workers. Called once for all changes of a turn, after that turn. */
  publish(config: ClusterConfig, state: ClusterState): void;
  /** Returns the successes of an endpoint since the start, over all workers. */
  successes(cluster: string, label: string): Successes;
  /**
   * Leases series for an address of a DNS name. Returns their first slot in the stats pages, or null if they
   * are full.
   */
  leaseSeries(cluster: string, label: string): number | null;
  /** Returns leased series. */
  returnSeries(cluster: string, label: string): void;
  /** Reports an event to operators. */
  readonly report: (event: EventFacts) => void;
  /** Called when probes find an endpoint down. */
  wentDown(config: ClusterConfig, record: EndpointRecord): void;
}
