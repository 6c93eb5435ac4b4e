/** The state of a cluster's endpoints, as the primary tells it to every worker. */
import type { Address } from '../core/address.ts';
import type { ENDPOINT_STATES } from '../telemetry/metrics/label-values.ts';

/**
 * Probes set `down`, the outlier detection sets `ejected`, operators set `draining`. If several hold, the last of these
 * counts.
 */
export type EndpointHealth = (typeof ENDPOINT_STATES)[number];

export interface EndpointState {
  /** The address as text: the endpoint's name in metrics, logs and commands. */
  readonly label: string;
  /** First slot of the endpoint's series if they are lent; null if the configuration lists the endpoint. */
  readonly slot: number | null;
  /** The configured address. Its host is the server name for TLS. */
  readonly server: Address;
  /** Addresses to connect to: the first, or another that answers. */
  readonly addresses: readonly Address[];
  /** Above 0: the weight of the endpoint's entry, or a part of it if the entry is a name. */
  readonly weight: number;
  /** The lowest priority with an endpoint that is up is used (RFC 2782). */
  readonly priority: number;
  /** Max connections of all workers; 0 for no limit. */
  readonly maxConnections: number;
  readonly health: EndpointHealth;
  /** Remaining milliseconds of the slow start; 0 if there is none. */
  readonly warmLeftMs: number;
}

export interface ClusterState {
  readonly cluster: string;
  /** Memory of the `SharedCursor` that counts turns of all workers. The same as long as the cluster exists. */
  readonly cursor: SharedArrayBuffer;
  /** The same order for every worker. */
  readonly endpoints: readonly EndpointState[];
}
