import { noteListening } from '../descriptors/descriptor-table.ts';
import { SystemCallError } from '../errno.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SHUT_WR,
  SIOCOUTQ,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PEERCRED,
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  KEEP_ALIVE_IDLE_MS,
  KEEP_ALIVE_INTERVAL_MS,
  KEEP_ALIVE_PROBES,
} from '../socket-constants.ts';
import type { SocketAddress } from './socket-address.ts';
import { IPV4_BYTES, IPV6_BYTES, SOCKADDR_BYTES, portOf } from './socket-structs.ts';

/** One end of a TCP connection. */
interface SocketEnd {
  /** IP address as text. Dual-stack sockets report IPv4 addresses as `::ffff:192.0.2.1`. */
  readonly address: string;
  readonly port: number;
}

/**
 * Parts of the scratch memory: an option's value and its length, the last accepted peer's address, an address
 * as text, and another address.
 */
const VALUE = { start: 0, end: 8 } as const;
const LENGTH = { start: 8, end: 12 } as const;
const PEER = { start: 16, end: 16 + SOCKADDR_BYTES } as const;
/** `struct ucred` of unix(7): process, user, group. Overlays the peer's address. */
const CREDENTIALS = { bytes: 12, user: PEER.start + 4 } as const;
const TEXT = { start: PEER.end, end: PEER.end + 64 } as const;
const NAME = { start: TEXT.end, end: TEXT.end + SOCKADDR_BYTES } as const;

/**
 * Operations on non-blocking stream sockets by file descriptor. A call returns a negative error number for
 * expected failures, and throws on others.
 */
export class Sockets {
  readonly #calls: NativeCalls;
  readonly #scratch = new PinnedBuffer(NAME.end);
  readonly #value: number;
  readonly #length: number;
  readonly #peer: number;
  readonly #text: number;
  readonly #name: number;

  /** @throws Error if system calls are not supported */
  constructor() {
    this.#calls = nativeCalls();
    this.#value = addressWithin(this.#scratch, VALUE.start, VALUE.end);
    this.#length = addressWithin(this.#scratch, LENGTH.start, LENGTH.end);
    this.#peer = addressWithin(this.#scratch, PEER.start, PEER.end);
    this.#text = addressWithin(this.#scratch, TEXT.start, TEXT.end);
    this.#name = addressWithin(this.#scratch, NAME.start, NAME.end);
  }

  /**
   * Opens a listening socket that shares its address with other threads' sockets (SO_REUSEPORT). Accepted
   * sockets send small writes at once, and detect dead peers.
   *
   * @param backlog max connections that wait to be accepted; the kernel may have a lower limit
   * @throws SystemCallError if the address cannot be bound
   */
  listen(address: SocketAddress, backlog: number): number {
    const fd = this.open(address);
    if (fd < 0) throw new SystemCallError('socket', -fd, address.text);
    try {
      if (!address.isUnix) {
        this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        this.#set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
      }
      // "::" accepts IPv4 clients too.
      if (address.family === AF_INET6) this.#set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
      const place = addressWithin(address.memory, 0, address.length);
      if (this.#calls.bind(fd, place, address.length) < 0) throw this.#error('bind', address);
      if (this.#calls.listen(fd, backlog) < 0) throw this.#error('listen', address);
      noteListening(fd);
      return fd;
    } catch (error) {
      this.close(fd);
      throw error;
    }
  }

  /**
   * Accepts the next connection of a listening socket. Returns it, or a negative error number: -EAGAIN for
   * none.
   */
  accept(listening: number): number {
    checkDescriptor(listening);
    this.#scratch.bytes.writeInt32LE(SOCKADDR_BYTES, LENGTH.start);
    const fd = this.#calls.accept4(listening, this.#peer, this.#length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? -this.#calls.errno() : fd;
  }

  /** Returns the IP address of the client that {@link accept} returned last; empty for none. */
  acceptedFrom(): string {
    return this.#readIp(PEER.start, this.#peer) ?? '';
  }

  /** Reports whether a connection is open. A reset closes it, and so does a FIN from both sides. */
  isConnected(fd: number): boolean {
    return this.#readName(this.#calls.getpeername, fd);
  }

  /** Returns the peer's end of a TCP connection; null if the connection is closed. */
  remoteEnd(fd: number): SocketEnd | null {
    return this.#readName(this.#calls.getpeername, fd) ? this.#readEnd(NAME.start, this.#name) : null;
  }

  /** Returns our end of a TCP connection; null if the descriptor is not one. */
  localEnd(fd: number): SocketEnd | null {
    return this.#readName(this.#calls.getsockname, fd) ? this.#readEnd(NAME.start, this.#name) : null;
  }

  /** Reads the address of one end of a connection into the scratch memory. Returns false on failure. */
  #readName(read: (fd: number, address: number, length: number) => number, fd: number): boolean {
    checkDescriptor(fd);
    this.#scratch.bytes.writeInt32LE(SOCKADDR_BYTES, LENGTH.start);
    return read(fd, this.#name, this.#length) >= 0;
  }

  /** Reads a TCP end from the scratch memory; null for other addresses. @param place its memory address */
  #readEnd(start: number, place: number): SocketEnd | null {
    const address = this.#readIp(start, place);
    const bytes = this.#scratch.bytes.subarray(start, start + SOCKADDR_BYTES);
    return address === null ? null : { address, port: portOf(bytes) };
  }

  /** Reads an IP address from the scratch memory; null without one. @param place its memory address */
  #readIp(start: number, place: number): string | null {
    const { bytes } = this.#scratch;
    const family = bytes.readUInt16LE(start);
    if (family === AF_INET) {
      const at = start + IPV4_BYTES.offset;
      return `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`;
    }
    if (family !== AF_INET6) return null;
    const size = TEXT.end - TEXT.start;
    return this.#calls.formatAddress(family, place + IPV6_BYTES.offset, this.#text, size);
  }

  /** Opens a socket to connect to an address. Returns it, or a negative error number. */
  open(address: SocketAddress): number {
    const fd = this.#calls.socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -this.#calls.errno();
    if (address.isUnix) return fd;
    try {
      this.#set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      this.#set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_MS / 1000);
      this.#set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_MS / 1000);
      this.#set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_PROBES);
      this.#set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
      return fd;
    } catch (error) {
      this.close(fd);
      throw error;
    }
  }

  /**
   * Starts to connect. Returns 0 once connected, or a negative error number: -EINPROGRESS if it continues.
   */
  connect(fd: number, address: SocketAddress): number {
    checkDescriptor(fd);
    const place = addressWithin(address.memory, 0, address.length);
    return this.#calls.connect(fd, place, address.length) < 0 ? -this.#calls.errno() : 0;
  }

  /** Takes the pending error of a socket. Returns its number; 0 for none. */
  takeError(fd: number): number {
    checkDescriptor(fd);
    const { bytes } = this.#scratch;
    bytes.writeInt32LE(4, LENGTH.start);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, this.#value, this.#length) < 0) {
      return this.#calls.errno();
    }
    return bytes.readInt32LE(VALUE.start);
  }

  /**
   * Returns the effective user ID of the process that connected a UNIX socket; on the connecting side, of the
   * process that listens (SO_PEERCRED of unix(7)). Returns a negative error number if unknown.
   */
  peerUser(fd: number): number {
    checkDescriptor(fd);
    const { bytes } = this.#scratch;
    bytes.writeInt32LE(CREDENTIALS.bytes, LENGTH.start);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, this.#peer, this.#length) < 0) {
      return -this.#calls.errno();
    }
    return bytes.readUInt32LE(CREDENTIALS.user);
  }

  /** Returns the number of sent bytes that the peer has not acknowledged. */
  unacknowledged(fd: number): number {
    checkDescriptor(fd);
    const result = this.#calls.ioctl(fd, SIOCOUTQ, this.#value);
    return result < 0 ? 0 : this.#scratch.bytes.readInt32LE(VALUE.start);
  }

  /** Sends FIN after the sent bytes. The next event reports a broken connection. */
  finish(fd: number): void {
    checkDescriptor(fd);
    this.#calls.shutdown(fd, SHUT_WR);
  }

  /** Makes a later close reset the connection. UNIX sockets have no reset, and just close. */
  resetOnClose(fd: number): void {
    checkDescriptor(fd);
    this.#scratch.bytes.writeInt32LE(1, VALUE.start);
    this.#scratch.bytes.writeInt32LE(0, VALUE.start + 4);
    this.#calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.#value, 8);
  }

  /** Closes a descriptor. Must be called once: other code may get the same number at once. */
  close(fd: number): void {
    checkDescriptor(fd);
    this.#calls.close(fd);
  }

  #set(fd: number, level: number, name: number, value: number): void {
    this.#scratch.bytes.writeInt32LE(value, VALUE.start);
    if (this.#calls.setsockopt(fd, level, name, this.#value, 4) < 0) {
      throw new SystemCallError('setsockopt', this.#calls.errno(), `${level}/${name}`);
    }
  }

  #error(call: string, { text }: SocketAddress): SystemCallError {
    return new SystemCallError(call, this.#calls.errno(), text);
  }
}
