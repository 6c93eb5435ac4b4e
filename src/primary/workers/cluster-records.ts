import type { Cluster } from '../../config/types/cluster.ts';
import { writeClusterRecord, type ClusterRecord } from '../../protocol/cluster-record.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { SeriesDirectory } from '../../telemetry/series-directory.ts';

/** Returns the first slot of a configured endpoint's series. */
export type EndpointSlots = (cluster: string, label: string) => number;

interface Written {
  readonly config: Cluster;
  readonly record: ClusterRecord;
}

/** Serializes clusters for workers, once for all workers. */
export class ClusterRecords {
  readonly #slots: EndpointSlots;
  readonly #written = new WeakMap<ClusterState, Written>();

  constructor(directory: Pick<SeriesDirectory, 'slot'>) {
    this.#slots = (cluster, endpoint) =>
      directory.slot(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
  }

  /**
   * Returns the record of a cluster. Equal settings and state objects give the same record.
   *
   * @param slots slots of a generation that is not yet in force. Defaults to the current generation
   */
  of(config: Cluster, state: ClusterState, slots: EndpointSlots = this.#slots): ClusterRecord {
    const known = this.#written.get(state);
    if (known?.config === config) return known.record;
    const record = writeClusterRecord(config, state, (label) => slots(config.name, label));
    this.#written.set(state, { config, record });
    return record;
  }
}
