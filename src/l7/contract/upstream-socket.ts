/**
 * A connection to an endpoint as handshakes, sessions and requests see it. System calls carry it (`raw-upstream.ts`), or
 * Node's sockets if system calls are not used or the cluster has TLS (`net-upstream.ts`).
 */
import type { Channel, ChannelOwner } from '../../transport/channel.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';

/** Hears what happens on a connection to an endpoint: first a handshake or request, then perhaps a session. */
export interface UpstreamOwner extends ChannelOwner {
  upstreamConnected(): void;
}

/** A channel to an endpoint. The endpoint's FIN closes it once no bytes wait. */
export interface UpstreamSocket extends Channel {
  owner: UpstreamOwner | null;
}

/** Opens the upstream connections of one worker. */
export interface UpstreamDialler {
  /**
   * Begins to connect. The owner has a deadline of its own, and hears nothing before this has returned.
   *
   * @param preface bytes that precede all others, those of TLS too: a PROXY header. Null for none
   */
  open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner, preface: Buffer | null): UpstreamSocket;
}
