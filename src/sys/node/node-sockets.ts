import { writeSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { Sockets } from '../sockets/sockets.ts';
import { unsupportedReason } from '../support.ts';

/** Created on first use; null if system calls are unusable. */
let calls: Sockets | null | undefined;

/** Returns system calls for Node's sockets; null if system calls are unusable. */
export function socketCalls(): Sockets | null {
  if (calls === undefined) calls = unsupportedReason() === null ? new Sockets() : null;
  return calls;
}

/**
 * Returns the descriptor of one of Node's sockets; undefined without one. Node has no public way to get it.
 */
export function descriptorOf(owner: Server | Socket): number | undefined {
  const { _handle: handle } = owner as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

/**
 * Returns the user ID of the process at the other end of a UNIX socket, according to the kernel. Returns null
 * without system calls. For a TCP socket, the number means nothing.
 */
export function peerUserOf(socket: Socket): number | null {
  const fd = descriptorOf(socket);
  const user = fd === undefined ? undefined : socketCalls()?.peerUser(fd);
  return user === undefined || user < 0 ? null : user;
}

/**
 * Returns the number of written bytes that the peer has not acknowledged. Without system calls, counts only
 * bytes not yet passed to the kernel.
 */
export function unacknowledgedBytes(socket: Socket): number {
  const fd = descriptorOf(socket);
  const inKernel = fd === undefined ? 0 : (socketCalls()?.unacknowledged(fd) ?? 0);
  return socket.writableLength + inKernel;
}

/**
 * Writes bytes to the kernel, bypassing Node and its TLS. The socket has just connected, so a few bytes
 * always fit.
 *
 * @returns null, or why the bytes were not sent
 */
export function writeDirectly(socket: Socket, bytes: Uint8Array): Error | null {
  const fd = descriptorOf(socket);
  if (fd === undefined) return new Error('the socket has no descriptor to write to');
  try {
    const written = writeSync(fd, bytes);
    return written === bytes.length ? null : new Error('the kernel did not accept the first bytes');
  } catch (error) {
    return error as Error;
  }
}
