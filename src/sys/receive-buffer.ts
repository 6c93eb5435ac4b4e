import { findListening } from './listening-sockets.ts';
import { nativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './pinned-buffer.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

/**
 * Bounds what the kernel keeps of what a client has sent and nobody has read yet, for every connection that this
 * process accepts on a port from now on. It is for listening sockets that a library opened and keeps to itself.
 *
 * @param bytes half of the bound: the system doubles it, for what it needs besides
 * @returns how many sockets listen on the port
 * @throws where system calls are not supported, or /proc is not there
 */
export function limitReceiveBuffers(port: number, bytes: number): number {
  const calls = nativeCalls();
  const value = new PinnedBuffer(4);
  value.bytes.writeInt32LE(bytes);
  const place = addressWithin(value, 0, 4);
  const sockets = findListening(port);
  return sockets.filter((fd) => calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, place, 4) === 0).length;
}
