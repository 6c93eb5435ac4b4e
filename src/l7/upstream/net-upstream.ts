import { descriptorOf } from '../../sys/node/node-sockets.ts';
import { READ_OPTIONS, asChannel, type NetChannel } from '../../transport/net/net-channel.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { dial, dialErrorOf } from '../../upstream/dialling/dial.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamDialler, UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';

/** Upstream connections on Node's sockets, in a thread that runs Node's loop. */
export const netDialler: UpstreamDialler = {
  open: (cluster, endpoint, owner, preface) => openSocket(cluster, endpoint, owner, preface, null),
};

/**
 * Opens a connection on one of Node's sockets.
 *
 * @param preface as for {@link UpstreamDialler.open}
 * @param touched as for `asChannel`
 */
export function openSocket(
  cluster: Cluster,
  endpoint: Endpoint,
  owner: UpstreamOwner,
  preface: Buffer | null,
  touched: (() => void) | null,
): UpstreamSocket {
  const socket = dial(endpoint, { tls: cluster.tls, preface, allowHalfOpen: false, onread: READ_OPTIONS });
  socket.on('error', onError);
  const channel = asChannel(socket, owner, touched);
  if (cluster.tls === null) socket.once('connect', onPlainConnect);
  else socket.once('secureConnect', onConnect);
  return channel;
}

function onPlainConnect(this: NetChannel<UpstreamOwner>): void {
  // Without a descriptor, all output goes through `write`.
  this.fd = descriptorOf(this) ?? -1;
  this.owner?.upstreamConnected();
}
function onConnect(this: NetChannel<UpstreamOwner>): void {
  this.owner?.upstreamConnected();
}
function onError(this: NetChannel<UpstreamOwner>, error: Error): void {
  this.failure = dialErrorOf(error);
}
