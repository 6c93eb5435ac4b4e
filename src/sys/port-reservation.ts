import { SystemCallError } from './errno.ts';
import { nativeCalls } from './native-calls.ts';
import { PinnedBuffer, addressWithin } from './pinned-buffer.ts';
import type { SocketAddress } from './socket-address.ts';
import { AF_INET6, SOCKADDR_SIZE } from './socket-structs.ts';

const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/**
 * An address that is kept without being listened on: the system gives its port to nobody, and no connection ever comes
 * here, also where others listen on it already. A shared one can be had by sockets with SO_REUSEPORT and by no others.
 */
export class PortReservation {
  /** What was asked for, or what the system has chosen for port 0. */
  readonly port: number;
  #fd: number;

  /** @throws SystemCallError where the address cannot be had; Error where system calls are not supported */
  constructor(address: SocketAddress, shared: boolean) {
    const calls = nativeCalls();
    const fd = calls.socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SystemCallError('socket', calls.errno(), address.text);
    this.#fd = fd;
    try {
      const memory = new PinnedBuffer(8 + SOCKADDR_SIZE);
      const value = addressWithin(memory, 0, 4);
      const set = (level: number, name: number, to: number): void => {
        memory.bytes.writeInt32LE(to, 0);
        if (calls.setsockopt(fd, level, name, value, 4) < 0) {
          throw new SystemCallError('setsockopt', calls.errno(), address.text);
        }
      };
      // For what connections that are over have left on a port. One of the system's choice has none, and with it
      // whoever does not share would get the address, too.
      if (!address.hasPortZero) set(SOL_SOCKET, SO_REUSEADDR, 1);
      if (shared) set(SOL_SOCKET, SO_REUSEPORT, 1);
      if (address.family === AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
      if (calls.bind(fd, addressWithin(address.memory, 0, address.length), address.length) < 0) {
        throw new SystemCallError('bind', calls.errno(), address.text);
      }
      memory.bytes.writeInt32LE(SOCKADDR_SIZE, 0);
      const bound = addressWithin(memory, 8, 8 + SOCKADDR_SIZE);
      if (calls.getsockname(fd, bound, value) < 0) {
        throw new SystemCallError('getsockname', calls.errno(), address.text);
      }
      // At the same place in addresses of both families.
      this.port = memory.bytes.readUInt16BE(8 + 2);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Lets go of it; more than once does no harm. */
  close(): void {
    if (this.#fd >= 0) nativeCalls().close(this.#fd);
    this.#fd = -1;
  }
}
