import type { Cluster } from './cluster.ts';

/**
 * The clusters of one generation, as the listeners of a worker see them. What a cluster is made of stays elsewhere until a
 * client needs it.
 */
export interface ClusterLookup {
  /** Returns a cluster, which is made at its first use; undefined if the configuration has no cluster of this name. */
  get(name: string): Cluster | undefined;
  /**
   * Returns the header on which the cluster's balancer hashes, in lower case; null if it hashes on something else. Makes no
   * cluster.
   */
  hashHeader(name: string): string | null;
}
