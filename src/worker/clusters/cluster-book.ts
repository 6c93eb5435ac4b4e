import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { ClusterLookup } from '../../upstream/cluster-lookup.ts';
import type { Cluster } from '../../upstream/cluster.ts';

/** The clusters of one generation in one worker. A cluster is the same object in all generations that have it. */
export class ClusterBook implements ClusterLookup {
  readonly #clusters: ReadonlyMap<string, Cluster>;
  readonly #configs: ReadonlyMap<string, ClusterConfig>;

  constructor(clusters: ReadonlyMap<string, Cluster>, configs: readonly ClusterConfig[]) {
    this.#clusters = clusters;
    this.#configs = new Map(configs.map((config) => [config.name, config]));
  }

  get(name: string): Cluster | undefined {
    return this.#clusters.get(name);
  }

  hashHeader(name: string): string | null {
    const hashOn = this.#configs.get(name)?.hashOn;
    return hashOn?.kind === 'header' ? hashOn.name : null;
  }

  /** Lists all clusters. */
  get all(): Iterable<Cluster> {
    return this.#clusters.values();
  }
}
