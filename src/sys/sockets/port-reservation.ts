import { SystemCallError } from '../errno.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
} from '../socket-constants.ts';
import type { SocketAddress } from './socket-address.ts';
import { SOCKADDR_BYTES } from './socket-structs.ts';

/** A bound address without a listener: no other program can bind it, and clients are refused. */
export interface Reservation {
  /** The requested port, or the port that the kernel chose for port 0. */
  readonly port: number;
  /** Lets sockets with SO_REUSEPORT bind the address too. */
  share(): void;
  /** Releases the address. Idempotent. */
  close(): void;
}

/**
 * A {@link Reservation} by system calls. It relies on these rules of Linux (`inet_csk_bind_conflict`):
 *
 * - Two sockets with SO_REUSEADDR may bind one port if neither listens. So the flag is set during bind, which
 *   then fails for an overlapping listener, but not for connections in TIME_WAIT.
 * - Sockets of one user with SO_REUSEPORT may listen on one port. So an address that must not be shared is
 *   bound without that flag. Otherwise it would silently join another process's listeners.
 * - Both flags also apply to sockets bound later. So SO_REUSEADDR is cleared after bind, to keep other
 *   sockets away, and {@link share} sets SO_REUSEPORT for the workers.
 */
export class PortReservation implements Reservation {
  readonly port: number;
  readonly #memory = new PinnedBuffer(8 + SOCKADDR_BYTES);
  readonly #text: string;
  #fd: number;

  /**
   * @param shared whether other sockets with SO_REUSEPORT may already be bound to the address
   * @throws SystemCallError if the address cannot be bound; Error if system calls are not supported
   */
  constructor(address: SocketAddress, shared: boolean) {
    const calls = nativeCalls();
    this.#text = address.text;
    this.#fd = calls.socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw new SystemCallError('socket', calls.errno(), this.#text);
    try {
      // A port that the kernel chooses has no old connections.
      if (!address.hasPortZero) this.#set(SOL_SOCKET, SO_REUSEADDR, 1);
      if (shared) this.#set(SOL_SOCKET, SO_REUSEPORT, 1);
      if (address.family === AF_INET6) this.#set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
      const { length } = address;
      if (calls.bind(this.#fd, addressWithin(address.memory, 0, length), length) < 0) {
        throw new SystemCallError('bind', calls.errno(), this.#text);
      }
      this.#set(SOL_SOCKET, SO_REUSEADDR, 0);
      this.port = this.#readPort();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  share(): void {
    if (this.#fd >= 0) this.#set(SOL_SOCKET, SO_REUSEPORT, 1);
  }

  close(): void {
    if (this.#fd >= 0) nativeCalls().close(this.#fd);
    this.#fd = -1;
  }

  #set(level: number, name: number, to: number): void {
    const calls = nativeCalls();
    this.#memory.bytes.writeInt32LE(to, 0);
    if (calls.setsockopt(this.#fd, level, name, addressWithin(this.#memory, 0, 4), 4) < 0) {
      throw new SystemCallError('setsockopt', calls.errno(), this.#text);
    }
  }

  #readPort(): number {
    const calls = nativeCalls();
    const { bytes } = this.#memory;
    bytes.writeInt32LE(SOCKADDR_BYTES, 0);
    const bound = addressWithin(this.#memory, 8, 8 + SOCKADDR_BYTES);
    if (calls.getsockname(this.#fd, bound, addressWithin(this.#memory, 0, 4)) < 0) {
      throw new SystemCallError('getsockname', calls.errno(), this.#text);
    }
    // Both address families have the port at the same offset.
    return bytes.readUInt16BE(8 + 2);
  }
}
