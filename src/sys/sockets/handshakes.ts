import { ECONNRESET, EINPROGRESS, EINVAL, EPIPE } from '../errno.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  TCP_CLOSED,
  TCP_DEFER_ACCEPT,
  TCP_ESTABLISHED,
  TCP_INFO,
  TCP_INFO_HEAD_BYTES,
  TCP_INFO_LAST_ACK_RECEIVED,
  TCP_INFO_ROUND_TRIP,
  TCP_INFO_STATE,
  TCP_SYN_RECEIVED,
  TCP_SYN_SENT,
} from '../socket-constants.ts';
import { IPV4_BYTES, IPV6_BYTES, SOCKADDR_BYTES, writeIpv4, writeIpv6 } from './socket-structs.ts';

/** Max sockets that are kept for later handshakes. */
const MAX_SPARE = 128;
/**
 * The kernel holds the last ACK back for 200 ms (TCP_DELACK_MAX). From a little before that on, the other side may have
 * a connection.
 */
const HELD_BACK_MS = 150;

/** Parts of the scratch memory: the address to connect to, no address, a result of the kernel, and its length. */
const NAME = { start: 0, end: SOCKADDR_BYTES } as const;
const NOWHERE = { start: NAME.end, end: NAME.end + SOCKADDR_BYTES } as const;
const VALUE = { start: NOWHERE.end, end: NOWHERE.end + TCP_INFO_HEAD_BYTES } as const;
const LENGTH = { start: VALUE.end, end: VALUE.end + 4 } as const;

/**
 * TCP handshakes that prove that an address accepts connections, and carry no bytes. They are for probes of thousands of
 * endpoints, and cost three system calls each.
 *
 * The kernel does not send the last ACK of a handshake at once, and a reset comes before it. So the other side's process
 * never sees the connection, and nobody keeps it (TIME_WAIT). The sockets are used again: a connect to no address
 * (AF_UNSPEC of connect(2)) resets the connection and keeps the socket.
 */
export class Handshakes {
  readonly #calls: NativeCalls;
  readonly #family: number;
  readonly #nameLength: number;
  readonly #scratch = new PinnedBuffer(LENGTH.end);
  readonly #name: number;
  /** The place of the IP address in {@link #name}. */
  readonly #host: number;
  readonly #nowhere: number;
  readonly #value: number;
  readonly #length: number;
  readonly #spare: number[] = [];

  /** @param version of the IP addresses. Throws if system calls are not supported. */
  constructor(version: 4 | 6) {
    this.#calls = nativeCalls();
    const { bytes } = this.#scratch;
    this.#family = version === 4 ? AF_INET : AF_INET6;
    this.#nameLength = version === 4 ? writeIpv4(bytes, 0, true) : writeIpv6(bytes, 0, 0, true);
    this.#name = addressWithin(this.#scratch, NAME.start, NAME.end);
    this.#host = this.#name + (version === 4 ? IPV4_BYTES : IPV6_BYTES).offset;
    this.#nowhere = addressWithin(this.#scratch, NOWHERE.start, NOWHERE.end);
    bytes.writeUInt16LE(AF_UNSPEC, NOWHERE.start);
    this.#value = addressWithin(this.#scratch, VALUE.start, VALUE.end);
    this.#length = addressWithin(this.#scratch, LENGTH.start, LENGTH.end);
  }

  /**
   * Begins a handshake.
   *
   * @param host an IP address without a zone. Not a mapped one (`::ffff:192.0.2.1`): Linux keeps the socket's way to IPv4
   *   when it is used again (tcp_v6_connect), and later handshakes by IPv6 would never end
   * @returns its socket, for {@link look} and {@link cancel}; or a negative error number
   */
  begin(host: string, port: number): number {
    this.#scratch.bytes.writeUInt16BE(port, NAME.start + 2);
    if (this.#calls.parseAddress(this.#family, host, this.#host) !== 1) return -EINVAL;
    const fd = this.#spare.pop() ?? this.#open();
    if (fd < 0 || this.#calls.connect(fd, this.#name, this.#nameLength) >= 0) return fd;
    const errno = this.#calls.errno();
    if (errno === EINPROGRESS) return fd;
    this.#calls.close(fd);
    return -errno;
  }

  /**
   * Tells how far a handshake is (TCP_INFO of tcp(7)), and ends its connection unless it is under way. A connection that the
   * other side has reset was established before.
   *
   * @returns -EINPROGRESS while the handshake is under way. Otherwise the socket is not the caller's any more: the round trip
   *   in microseconds, 0 if the kernel has not measured it; another negative error number if the handshake has failed
   */
  look(fd: number): number {
    checkDescriptor(fd);
    const { bytes } = this.#scratch;
    bytes.writeInt32LE(TCP_INFO_HEAD_BYTES, LENGTH.start);
    if (this.#calls.getsockopt(fd, IPPROTO_TCP, TCP_INFO, this.#value, this.#length) < 0) {
      const errno = this.#calls.errno();
      this.#calls.close(fd);
      return -errno;
    }
    const state = bytes[VALUE.start + TCP_INFO_STATE]!;
    if (state === TCP_SYN_SENT || state === TCP_SYN_RECEIVED) return -EINPROGRESS;
    if (state === TCP_CLOSED) {
      const error = this.#takeError(fd);
      this.#calls.close(fd);
      return error === ECONNRESET || error === EPIPE ? 0 : -(error === 0 ? ECONNRESET : error);
    }
    const roundTrip = bytes.readUInt32LE(VALUE.start + TCP_INFO_ROUND_TRIP);
    const isUnseen =
      state === TCP_ESTABLISHED &&
      bytes.readUInt32LE(VALUE.start + TCP_INFO_LAST_ACK_RECEIVED) < HELD_BACK_MS;
    // A process that may have accepted the connection gets FIN: to some a reset is an error.
    if (isUnseen) this.cancel(fd);
    else this.#calls.close(fd);
    return roundTrip;
  }

  /** Ends a handshake that is under way, or has just been established. Its socket is not the caller's any more. */
  cancel(fd: number): void {
    checkDescriptor(fd);
    const isKept = this.#spare.length < MAX_SPARE;
    if (isKept && this.#calls.connect(fd, this.#nowhere, SOCKADDR_BYTES) >= 0) this.#spare.push(fd);
    else this.#calls.close(fd);
  }

  /** Opens a socket. Returns it, or a negative error number. */
  #open(): number {
    const fd = this.#calls.socket(this.#family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -this.#calls.errno();
    // Of a socket that connects, it makes Linux hold the last ACK of the handshake back (tcp_rcv_synsent_state_process).
    // Without it handshakes work, and the other side sees a connection that is reset.
    this.#scratch.bytes.writeInt32LE(1, VALUE.start);
    this.#calls.setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, this.#value, 4);
    return fd;
  }

  #takeError(fd: number): number {
    const { bytes } = this.#scratch;
    bytes.writeInt32LE(4, LENGTH.start);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, this.#value, this.#length) < 0) {
      return this.#calls.errno();
    }
    return bytes.readInt32LE(VALUE.start);
  }
}
