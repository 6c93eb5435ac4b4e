import type { Socket } from 'node:net';
import type { Cluster } from '../upstream/cluster.ts';
import { dial } from '../upstream/dial.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Who is told what happens on an upstream connection: first the handshake, then the session. */
export interface UpstreamOwner {
  upstreamConnected(): void;
  /** `input[0, length)` has arrived; the buffer is shared by all connections of the thread and valid during the call only. */
  upstreamData(input: Buffer, length: number): void;
  /** The endpoint has sent FIN. */
  upstreamEnded(): void;
  /** The connection is gone; nothing follows. */
  upstreamClosed(error: Error | null): void;
}

/** One read takes at most so much: large messages come in few pieces, and it still fits the processor's cache. */
const READ_SIZE = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(READ_SIZE);

/**
 * A connection to an endpoint. Its handlers are shared functions that find the owner by the socket, and all
 * sockets read into one buffer, so that an idle connection holds as little memory as Node allows.
 */
export type UpstreamSocket = Socket & {
  owner: UpstreamOwner | null;
  failure: Error | null;
  /** The socket's descriptor while it is connected, -1 where bytes must go through `write` (TLS). */
  fd: number;
};

/** Begins to connect to an endpoint for an owner, who has its own deadline. */
export function openUpstream(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner): UpstreamSocket {
  const socket = dial(endpoint, {
    tls: cluster.tls,
    allowHalfOpen: false,
    onread: READ_OPTIONS,
  }) as UpstreamSocket;
  socket.owner = owner;
  socket.failure = null;
  socket.fd = -1;
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.on('end', onEnd);
  if (cluster.tls === null) socket.once('connect', onPlainConnect);
  else socket.once('secureConnect', onConnect);
  return socket;
}

const READ_OPTIONS = {
  buffer: readBuffer,
  // Node calls it as a method of the socket.
  callback(this: UpstreamSocket, length: number): boolean {
    this.owner?.upstreamData(readBuffer, length);
    return true;
  },
};

function onPlainConnect(this: UpstreamSocket): void {
  // Node does not show it otherwise; where a release has no such field, everything goes through `write`.
  const { _handle: handle } = this as { _handle?: { fd?: unknown } | null };
  if (typeof handle?.fd === 'number') this.fd = handle.fd;
  this.owner?.upstreamConnected();
}
function onConnect(this: UpstreamSocket): void {
  this.owner?.upstreamConnected();
}
function onError(this: UpstreamSocket, error: Error): void {
  this.failure = error;
}
function onEnd(this: UpstreamSocket): void {
  this.owner?.upstreamEnded();
}
function onClose(this: UpstreamSocket): void {
  const { owner } = this;
  this.owner = null;
  this.fd = -1;
  owner?.upstreamClosed(this.failure);
}
