import type { Cluster } from './cluster.ts';

/**
 * Clusters of one generation, for the listeners of a worker. A cluster is created when a client first needs
 * it.
 */
export interface ClusterLookup {
  /**
   * Returns a cluster, creating it at first use. Undefined if the configuration has no cluster of this name.
   */
  get(name: string): Cluster | undefined;
  /**
   * Returns the header that the cluster's balancer hashes, in lower case. Null if it hashes something else.
   * Does not create the cluster.
   */
  hashHeader(name: string): string | null;
}
