import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { EventFacts } from '../../protocol/admin/events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { MonitorTools } from './monitor-tools.ts';
import type { Successes } from './outlier-detector.ts';

/** The owner of the monitors of all clusters. */
export interface MonitorOwner {
  readonly log: Logger;
  readonly tools: MonitorTools;
  /** Tells the workers. Called later than a change, once for all changes of a turn. */
  publish(config: ClusterConfig, state: ClusterState): void;
  /** Returns the successes of an endpoint since the start, over all workers. */
  successes(cluster: string, label: string): Successes;
  /** Lends series to an address of a name; returns their first slot in the stats pages, or null if there is no room. */
  lend(cluster: string, label: string): number | null;
  /** Takes back lent series. */
  giveBack(cluster: string, label: string): void;
  /** Tells operators of an event. */
  readonly tell: (event: EventFacts) => void;
  /** Called when probes have found an endpoint down. */
  wentDown(config: ClusterConfig, record: EndpointRecord): void;
}
