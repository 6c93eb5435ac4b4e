import type { Cluster } from '../../config/types/cluster.ts';
import { writeClusterRecord, type ClusterRecord } from '../../protocol/cluster-record.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { SeriesDirectory } from '../../telemetry/series-directory.ts';

/** Returns the first slot of the series of a listed endpoint. */
export type EndpointSlots = (cluster: string, label: string) => number;

interface Written {
  readonly config: Cluster;
  readonly record: ClusterRecord;
}

/** Writes the records by which workers know the clusters, each once for all workers. */
export class ClusterRecords {
  readonly #slots: EndpointSlots;
  readonly #written = new WeakMap<ClusterState, Written>();

  constructor(directory: Pick<SeriesDirectory, 'slot'>) {
    this.#slots = (cluster, endpoint) =>
      directory.slot(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
  }

  /**
   * Returns the record of a cluster: the same object for the same settings and state.
   *
   * @param slots of a generation that is not in use yet; left out for the one in use
   */
  of(config: Cluster, state: ClusterState, slots: EndpointSlots = this.#slots): ClusterRecord {
    const known = this.#written.get(state);
    if (known?.config === config) return known.record;
    const record = writeClusterRecord(config, state, (label) => slots(config.name, label));
    this.#written.set(state, { config, record });
    return record;
  }
}
