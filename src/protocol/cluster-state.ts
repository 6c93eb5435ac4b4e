/** What the primary knows of a cluster's endpoints, and every worker acts on. */
import type { Address } from '../core/address.ts';

/**
 * `down` says a probe, `ejected` says the outlier detection, `draining` says an operator. Where more than one
 * holds, the last of these.
 */
export type EndpointHealth = 'up' | 'down' | 'ejected' | 'draining';

export interface EndpointState {
  /** The address as text: what metrics, logs and commands call it. */
  readonly label: string;
  /** First slot of its series in the stats pages if they are lent; null if the configuration's table has them. */
  readonly slot: number | null;
  /** As configured: its host is the name that TLS asks for. */
  readonly server: Address;
  /** Where to connect: the first, or another of these that answers. */
  readonly addresses: readonly Address[];
  /** Above 0: the weight of its entry, or its part of a name's weight. */
  readonly weight: number;
  /** The lowest that has an endpoint which is up is used (RFC 2782). */
  readonly priority: number;
  /** Over all workers; 0 is no limit. */
  readonly maxConnections: number;
  readonly health: EndpointHealth;
  /** How long its slow start lasts yet; 0 where there is none. */
  readonly warmLeftMs: number;
}

export interface ClusterState {
  readonly cluster: string;
  /** Memory of the cursor that counts turns over all workers: see `SharedCursor`. The same as long as the cluster lives. */
  readonly cursor: SharedArrayBuffer;
  /** In the same order for every worker. */
  readonly endpoints: readonly EndpointState[];
}
