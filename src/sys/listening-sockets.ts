import { readdirSync } from 'node:fs';
import { nativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './pinned-buffer.ts';
import { AF_INET, AF_INET6, SOCKADDR_SIZE, familyOf } from './socket-structs.ts';

const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;

/** Connections that wait to be accepted, at most; the kernel takes the lesser of this and net.core.somaxconn. */
export const BACKLOG = 4096;

/**
 * Gives a listening socket, which a library opened, a queue of {@link BACKLOG} connections. What finds no room is not
 * answered, and tries again after a second.
 *
 * @returns whether the system took it
 */
export function lengthenQueue(fd: number): boolean {
  return nativeCalls().listen(fd, BACKLOG) === 0;
}

/** The sockets of this process that listen on a port; none where system calls are not supported. */
export function findListening(port: number): number[] {
  let probe: ListeningProbe;
  try {
    probe = new ListeningProbe();
  } catch {
    return [];
  }
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => probe.listensOn(fd, port));
}

class ListeningProbe {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + SOCKADDR_SIZE);

  listensOn(fd: number, port: number): boolean {
    const { bytes } = this.#memory;
    const length = addressWithin(this.#memory, 0, 4);
    const value = addressWithin(this.#memory, 4, 8);
    bytes.writeInt32LE(4, 0);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, length) !== 0) return false;
    if (bytes.readInt32LE(4) !== 1) return false;
    bytes.writeInt32LE(SOCKADDR_SIZE, 0);
    const name = addressWithin(this.#memory, 8, 8 + SOCKADDR_SIZE);
    if (this.#calls.getsockname(fd, name, length) !== 0) return false;
    const address = bytes.subarray(8);
    const family = familyOf(address, true);
    return (family === AF_INET || family === AF_INET6) && address.readUInt16BE(2) === port;
  }
}
