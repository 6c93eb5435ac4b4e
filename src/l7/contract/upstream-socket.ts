/**
 * A connection to an endpoint, as handshakes, sessions and requests see it. It uses system calls
 * (`raw-upstream.ts`), or Node's sockets if system calls are off or the cluster has TLS (`net-upstream.ts`).
 */
import type { Channel, ChannelOwner } from '../../transport/channel.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';

/**
 * Receives the events of a connection to an endpoint: first a handshake or request, then perhaps a session.
 */
export interface UpstreamOwner extends ChannelOwner {
  upstreamConnected(): void;
}

/** A channel to an endpoint. The endpoint's FIN closes it once no bytes are buffered. */
export interface UpstreamSocket extends Channel {
  owner: UpstreamOwner | null;
}

/** Opens the upstream connections of one worker. */
export interface UpstreamDialler {
  /**
   * Starts to connect. The owner must set its own deadline. It is not called before this returns.
   *
   * @param preface bytes before all others, TLS included: a PROXY header, or null
   */
  open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner, preface: Buffer | null): UpstreamSocket;
}
