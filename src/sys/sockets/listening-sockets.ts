import { readdirSync } from 'node:fs';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SHUT_RD,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_RCVBUF,
  TCP_NOTSENT_LOWAT,
} from '../socket-constants.ts';
import { SOCKADDR_BYTES, familyOf } from './socket-structs.ts';

/**
 * Limits the unread bytes that the kernel keeps for each connection that a listening socket accepts from now
 * on.
 *
 * @param bytes half of the limit: the kernel doubles it for its bookkeeping
 * @returns whether the kernel accepted it
 */
export function limitReceiveBuffers(fd: number, bytes: number): boolean {
  return setOption(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

/**
 * Limits the unsent bytes that the kernel keeps for each connection that a listening socket accepts from now
 * on. Sent but unacknowledged bytes do not count, so a distant client still gets its full bandwidth.
 *
 * @param bytes number of unsent bytes at which the socket stops being writable
 * @returns whether the kernel accepted it
 */
export function limitUnsent(fd: number, bytes: number): boolean {
  return setOption(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

/** Reports whether a descriptor is a listening socket. @throws Error if system calls are not supported */
export function isListening(fd: number): boolean {
  return new ListeningProbe().listens(fd);
}

/**
 * Stops another thread's listening socket. Other sockets on its address get all new connections. Resets
 * connections that wait to be accepted. The descriptor stays open until its thread closes it.
 *
 * @returns false if the socket no longer listens, or system calls are not supported
 */
export function stopListening(fd: number): boolean {
  try {
    // A descriptor that does not listen may belong to other code by now.
    return isListening(fd) && nativeCalls().shutdown(fd, SHUT_RD) === 0;
  } catch {
    return false;
  }
}

/** Finds this process's sockets that listen on a port. Finds none without system calls or /proc. */
export function findListening(port: number): number[] {
  try {
    const probe = new ListeningProbe();
    return readdirSync('/proc/self/fd')
      .map(Number)
      .filter((fd) => probe.listensOn(fd, port));
  } catch {
    return [];
  }
}

/** Sets an option of 4 bytes. Returns whether the kernel accepted it. */
function setOption(fd: number, level: number, option: number, value: number): boolean {
  const memory = new PinnedBuffer(4);
  memory.bytes.writeInt32LE(value);
  return nativeCalls().setsockopt(fd, level, option, addressWithin(memory, 0, 4), 4) === 0;
}

class ListeningProbe {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + SOCKADDR_BYTES);

  listens(fd: number): boolean {
    const { bytes } = this.#memory;
    const length = addressWithin(this.#memory, 0, 4);
    const value = addressWithin(this.#memory, 4, 8);
    bytes.writeInt32LE(4, 0);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, length) !== 0) return false;
    return bytes.readInt32LE(4) === 1;
  }

  listensOn(fd: number, port: number): boolean {
    if (!this.listens(fd)) return false;
    const { bytes } = this.#memory;
    const length = addressWithin(this.#memory, 0, 4);
    bytes.writeInt32LE(SOCKADDR_BYTES, 0);
    const name = addressWithin(this.#memory, 8, 8 + SOCKADDR_BYTES);
    if (this.#calls.getsockname(fd, name, length) !== 0) return false;
    const address = bytes.subarray(8);
    const family = familyOf(address, true);
    return (family === AF_INET || family === AF_INET6) && address.readUInt16BE(2) === port;
  }
}
