/** The state of a cluster's endpoints. The primary sends it to every worker. */
import type { Address } from '../core/address.ts';
import type { ENDPOINT_STATES } from '../telemetry/metrics/label-values.ts';

/**
 * Probes set `down`, outlier detection sets `ejected`, operators set `draining`. If several apply, the last
 * in this order wins.
 */
export type EndpointHealth = (typeof ENDPOINT_STATES)[number];

export interface EndpointState {
  /** The address as text. It names the endpoint in metrics, logs and commands. */
  readonly label: string;
  /** First slot of the endpoint's series if they are leased; null if the endpoint is in the configuration. */
  readonly slot: number | null;
  /** The configured address. Its host is the server name for TLS. */
  readonly server: Address;
  /** Addresses to dial in turn. */
  readonly addresses: readonly Address[];
  /** Weight of the endpoint's entry, above 0. If the entry is a name, its addresses share the weight. */
  readonly weight: number;
  /** The lowest priority that has an endpoint up is used (RFC 2782). */
  readonly priority: number;
  /** Max connections over all workers; 0 for no limit. */
  readonly maxConnections: number;
  readonly health: EndpointHealth;
  /** Remaining milliseconds of the slow start; 0 outside one. */
  readonly warmLeftMs: number;
}

export interface ClusterState {
  readonly cluster: string;
  /**
   * Memory of the `SharedCursor` that counts the turns of all workers. It stays the same while the cluster
   * exists.
   */
  readonly cursor: SharedArrayBuffer;
  /** In the same order for every worker. */
  readonly endpoints: readonly EndpointState[];
}
