import { findListening } from './listening-sockets.ts';
import { nativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './pinned-buffer.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const IPPROTO_TCP = 6;
const TCP_NOTSENT_LOWAT = 25;

/**
 * Bounds what the kernel keeps of what a client has sent and nobody has read yet, for every connection that this
 * process accepts on a port from now on. It is for listening sockets that a library opened and keeps to itself.
 *
 * @param bytes half of the bound: the system doubles it, for what it needs besides
 * @returns how many sockets listen on the port
 * @throws where system calls are not supported, or /proc is not there
 */
export function limitReceiveBuffers(port: number, bytes: number): number {
  return setOnListening(port, SOL_SOCKET, SO_RCVBUF, bytes);
}

/**
 * Bounds what the kernel takes for a client before it can be sent, for every connection as above. What is under way
 * is not counted, so that a distant client gets as much as its connection carries.
 *
 * @param bytes of which one more write may be taken
 * @returns how many sockets listen on the port
 * @throws as above
 */
export function limitUnsent(port: number, bytes: number): number {
  return setOnListening(port, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

function setOnListening(port: number, level: number, option: number, bytes: number): number {
  const calls = nativeCalls();
  const value = new PinnedBuffer(4);
  value.bytes.writeInt32LE(bytes);
  const place = addressWithin(value, 0, 4);
  return findListening(port).filter((fd) => calls.setsockopt(fd, level, option, place, 4) === 0).length;
}
