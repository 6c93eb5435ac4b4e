import { SystemCallError } from '../errno.ts';
import { noteListening } from '../descriptors/descriptor-table.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import type { SocketAddress } from './socket-address.ts';
import { IPV4_BYTES, IPV6_BYTES, SOCKADDR_SIZE, familyOf } from './socket-structs.ts';
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
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  KEEP_ALIVE_IDLE_MS,
  KEEP_ALIVE_INTERVAL_MS,
  KEEP_ALIVE_PROBES,
} from './socket-constants.ts';

/** Of the scratch memory: the value of an option, its length, and a peer's address, as bytes and as text. */
const VALUE = { start: 0, end: 8 } as const;
const LENGTH = { start: 8, end: 12 } as const;
const PEER = { start: 16, end: 16 + SOCKADDR_SIZE } as const;
const TEXT = { start: PEER.end, end: PEER.end + 64 } as const;

/**
 * Stream sockets that never make the thread wait, by their file descriptors. Where failing is an everyday event
 * a call returns a negative error number; where it is not, it throws.
 */
export class Sockets {
  readonly #calls: NativeCalls;
  readonly #scratch = new PinnedBuffer(TEXT.end);
  readonly #value: number;
  readonly #length: number;
  readonly #peer: number;
  readonly #text: number;

  /** Throws where system calls are not supported. */
  constructor() {
    this.#calls = nativeCalls();
    this.#value = addressWithin(this.#scratch, VALUE.start, VALUE.end);
    this.#length = addressWithin(this.#scratch, LENGTH.start, LENGTH.end);
    this.#peer = addressWithin(this.#scratch, PEER.start, PEER.end);
    this.#text = addressWithin(this.#scratch, TEXT.start, TEXT.end);
  }

  /**
   * A socket that listens together with those of other threads (SO_REUSEPORT). What it accepts sends small
   * writes at once and notices peers that have gone.
   *
   * @param backlog connections that may wait to be accepted; the system may have a lower limit
   * @throws SystemCallError where the address cannot be had
   */
  listen(address: SocketAddress, backlog: number): number {
    const fd = this.open(address);
    if (fd < 0) throw new SystemCallError('socket', -fd, address.text);
    try {
      if (!address.isUnix) {
        this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        this.#set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
      }
      // IPv4 clients, too, may come to "::".
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

  /** The next connection that waits at a listening socket, or a negative error number: -EAGAIN for none. */
  accept(listening: number): number {
    checkDescriptor(listening);
    this.#scratch.bytes.writeInt32LE(SOCKADDR_SIZE, LENGTH.start);
    const fd = this.#calls.accept4(listening, this.#peer, this.#length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? -this.#calls.errno() : fd;
  }

  /** The IP address of the client that {@link accept} returned last; empty where it has none. */
  acceptedFrom(): string {
    const peer = this.#scratch.bytes.subarray(PEER.start, PEER.end);
    const family = familyOf(peer, true);
    const ip = family === AF_INET ? IPV4_BYTES : family === AF_INET6 ? IPV6_BYTES : null;
    if (ip === null) return '';
    return this.#calls.formatAddress(family, this.#peer + ip.offset, this.#text, TEXT.end - TEXT.start) ?? '';
  }

  /** A socket to connect to an address with, or a negative error number. */
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

  /** Begins to connect: 0 where that is done already, -EINPROGRESS, or what is in the way as a negative number. */
  connect(fd: number, address: SocketAddress): number {
    checkDescriptor(fd);
    const place = addressWithin(address.memory, 0, address.length);
    return this.#calls.connect(fd, place, address.length) < 0 ? -this.#calls.errno() : 0;
  }

  /** The error that a socket has run into since it was last asked, as an error number, or 0. */
  takeError(fd: number): number {
    checkDescriptor(fd);
    const { bytes } = this.#scratch;
    bytes.writeInt32LE(4, LENGTH.start);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, this.#value, this.#length) < 0) {
      return this.#calls.errno();
    }
    return bytes.readInt32LE(VALUE.start);
  }

  /** Bytes that have been sent and that the other side has not acknowledged. */
  unacknowledged(fd: number): number {
    checkDescriptor(fd);
    const result = this.#calls.ioctl(fd, SIOCOUTQ, this.#value);
    return result < 0 ? 0 : this.#scratch.bytes.readInt32LE(VALUE.start);
  }

  /** Sends FIN behind what has been sent. A connection that has broken in the meantime will say so by itself. */
  finish(fd: number): void {
    checkDescriptor(fd);
    this.#calls.shutdown(fd, SHUT_WR);
  }

  /** From now on closing the socket resets its connection; a UNIX socket knows no reset and is closed. */
  resetOnClose(fd: number): void {
    checkDescriptor(fd);
    this.#scratch.bytes.writeInt32LE(1, VALUE.start);
    this.#scratch.bytes.writeInt32LE(0, VALUE.start + 4);
    this.#calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.#value, 8);
  }

  /** Closes a descriptor, once: the number may be somebody else's right after. */
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
