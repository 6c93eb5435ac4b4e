import { readdirSync } from 'node:fs';
import { nativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { SOCKADDR_SIZE, familyOf } from './socket-structs.ts';
import {
  AF_INET,
  AF_INET6,
  BACKLOG,
  IPPROTO_TCP,
  SHUT_RD,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_RCVBUF,
  TCP_NOTSENT_LOWAT,
} from './socket-constants.ts';

/** Connections that wait to be accepted, at most; the kernel takes the lesser of this and net.core.somaxconn. */

/**
 * Gives a listening socket, which a library opened, a queue of {@link BACKLOG} connections. What finds no room is not
 * answered, and tries again after a second.
 *
 * @returns whether the system took it
 */
export function lengthenQueue(fd: number): boolean {
  return nativeCalls().listen(fd, BACKLOG) === 0;
}

/**
 * Bounds what the kernel keeps of what a client has sent and nobody has read yet, for every connection that a
 * listening socket accepts from now on.
 *
 * @param bytes half of the bound: the system doubles it, for what it needs besides
 * @returns whether the system took it
 */
export function limitReceiveBuffers(fd: number, bytes: number): boolean {
  return setOption(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

/**
 * Bounds what the kernel takes for a client before it can be sent, for every connection as above. What is under way
 * is not counted, so that a distant client gets as much as its connection carries.
 *
 * @param bytes beyond which no more writes are taken
 * @returns whether the system took it
 */
export function limitUnsent(fd: number, bytes: number): boolean {
  return setOption(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

/** Tells whether a descriptor is a listening socket. Throws if system calls are not supported. */
export function isListening(fd: number): boolean {
  return new ListeningProbe().listens(fd);
}

/**
 * Stops a listening socket of another thread. Other sockets on its address get all new connections, and connections
 * that waited to be accepted are reset. The descriptor stays open, for its thread to close.
 *
 * @returns false if the socket does not listen any more, or system calls are not supported
 */
export function stopListening(fd: number): boolean {
  try {
    // A descriptor that is no listening socket is somebody else's by now.
    return isListening(fd) && nativeCalls().shutdown(fd, SHUT_RD) === 0;
  } catch {
    return false;
  }
}

/** The sockets of this process that listen on a port; none where there are no system calls, or no /proc. */
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

/** Sets an option of 4 bytes. Returns whether the system took it. */
export function setOption(fd: number, level: number, option: number, value: number): boolean {
  const memory = new PinnedBuffer(4);
  memory.bytes.writeInt32LE(value);
  return nativeCalls().setsockopt(fd, level, option, addressWithin(memory, 0, 4), 4) === 0;
}

class ListeningProbe {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + SOCKADDR_SIZE);

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
    bytes.writeInt32LE(SOCKADDR_SIZE, 0);
    const name = addressWithin(this.#memory, 8, 8 + SOCKADDR_SIZE);
    if (this.#calls.getsockname(fd, name, length) !== 0) return false;
    const address = bytes.subarray(8);
    const family = familyOf(address, true);
    return (family === AF_INET || family === AF_INET6) && address.readUInt16BE(2) === port;
  }
}
