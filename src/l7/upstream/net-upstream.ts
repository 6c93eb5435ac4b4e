import type { Socket } from 'node:net';
import { copyOf } from '../../core/copy.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import { atTrueEnd } from '../../sys/node/true-end.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { dial, dialErrorOf } from '../../upstream/dialling/dial.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamDialler, UpstreamOwner } from '../contract/upstream-socket.ts';

/** Max bytes of one read: large messages come in few pieces, which fit the processor's cache. */
const MAX_READ_BYTES = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(MAX_READ_BYTES);

/**
 * A connection on one of Node's sockets. Its handlers are shared functions that find the owner by the socket, and
 * all sockets read into one buffer, so that an idle connection holds as little memory as Node allows.
 */
type NetUpstream = Socket & {
  owner: UpstreamOwner | null;
  failure: Error | null;
  fd: number;
  writeCopy(bytes: Uint8Array): boolean;
  forward(input: Buffer, start: number, end: number): boolean;
  splice(): boolean;
};

/** Upstream connections on Node's sockets. */
export const netDialler: UpstreamDialler = {
  open,
  downstreamTouched() {
    // Node's own event loop waits.
  },
};

function open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner): NetUpstream {
  const socket = dial(endpoint, {
    tls: cluster.tls,
    allowHalfOpen: false,
    onread: READ_OPTIONS,
  }) as NetUpstream;
  socket.owner = owner;
  socket.failure = null;
  socket.fd = -1;
  socket.writeCopy = writeCopy;
  socket.forward = forward;
  socket.splice = cannotSplice;
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  if (cluster.tls === null) socket.once('connect', onPlainConnect);
  else socket.once('secureConnect', onConnect);
  return socket;
}

function writeCopy(this: NetUpstream, bytes: Uint8Array): boolean {
  return this.write(copyOf(bytes));
}

function forward(this: NetUpstream, input: Buffer, start: number, end: number): boolean {
  return this.write(copyOf(input.subarray(start, end)));
}

function cannotSplice(): boolean {
  return false;
}

const READ_OPTIONS = {
  buffer: readBuffer,
  // Node calls it with the socket as `this`.
  callback(this: NetUpstream, length: number): boolean {
    this.owner?.channelData(readBuffer, 0, length);
    return true;
  },
};

function onPlainConnect(this: NetUpstream): void {
  // Without a descriptor everything goes through `write`.
  this.fd = descriptorOf(this) ?? -1;
  this.owner?.upstreamConnected();
}
function onConnect(this: NetUpstream): void {
  this.owner?.upstreamConnected();
}
function onError(this: NetUpstream, error: Error): void {
  this.failure = dialErrorOf(error);
}
function onDrain(this: NetUpstream): void {
  this.owner?.channelDrained?.();
}
function onEnd(this: NetUpstream): void {
  atTrueEnd(this, () => this.owner?.channelEnded());
}
function onClose(this: NetUpstream): void {
  const { owner } = this;
  this.owner = null;
  this.fd = -1;
  owner?.channelClosed(this.failure);
}
