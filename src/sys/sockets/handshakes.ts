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

/** Max sockets kept for later handshakes. */
const MAX_SPARE = 128;
/**
 * Min age of a connection that the peer's process may have accepted. The kernel delays the last ACK by 200 ms
 * (TCP_DELACK_MAX), and this limit is a little lower.
 */
const ACK_DELAY_MS = 150;

/** Parts of the scratch memory: the address to connect to, no address, a kernel result, and its length. */
const NAME = { start: 0, end: SOCKADDR_BYTES } as const;
const NO_ADDRESS = { start: NAME.end, end: NAME.end + SOCKADDR_BYTES } as const;
const VALUE = { start: NO_ADDRESS.end, end: NO_ADDRESS.end + TCP_INFO_HEAD_BYTES } as const;
const LENGTH = { start: VALUE.end, end: VALUE.end + 4 } as const;

/**
 * TCP handshakes that prove that an address accepts connections, without sending data. They serve probes of
 * thousands of endpoints, at three system calls each.
 *
 * The kernel delays the last ACK of a handshake, and a reset goes out before it. So the peer's process never
 * sees the connection, and neither side keeps it (TIME_WAIT). Sockets are reused: a connect to no address
 * (AF_UNSPEC of connect(2)) resets the connection and keeps the socket.
 */
export class Handshakes {
  readonly #calls: NativeCalls;
  readonly #family: number;
  readonly #nameLength: number;
  readonly #scratch = new PinnedBuffer(LENGTH.end);
  readonly #name: number;
  /** Memory address of the IP address in {@link #name}. */
  readonly #host: number;
  readonly #noAddress: number;
  readonly #value: number;
  readonly #length: number;
  readonly #spare: number[] = [];

  /**
   * @param version version of the IP addresses
   * @throws Error if system calls are not supported
   */
  constructor(version: 4 | 6) {
    this.#calls = nativeCalls();
    const { bytes } = this.#scratch;
    this.#family = version === 4 ? AF_INET : AF_INET6;
    this.#nameLength = version === 4 ? writeIpv4(bytes, 0, true) : writeIpv6(bytes, 0, 0, true);
    this.#name = addressWithin(this.#scratch, NAME.start, NAME.end);
    this.#host = this.#name + (version === 4 ? IPV4_BYTES : IPV6_BYTES).offset;
    this.#noAddress = addressWithin(this.#scratch, NO_ADDRESS.start, NO_ADDRESS.end);
    bytes.writeUInt16LE(AF_UNSPEC, NO_ADDRESS.start);
    this.#value = addressWithin(this.#scratch, VALUE.start, VALUE.end);
    this.#length = addressWithin(this.#scratch, LENGTH.start, LENGTH.end);
  }

  /**
   * Starts a handshake.
   *
   * @param host an IP address without a zone. Mapped addresses (`::ffff:192.0.2.1`) are not allowed: a reused
   * Linux socket keeps its path to IPv4 (tcp_v6_connect), and later IPv6 handshakes would never end
   * @returns the socket, for {@link poll} and {@link cancel}; or a negative error number
   */
  start(host: string, port: number): number {
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
   * Checks the progress of a handshake (TCP_INFO of tcp(7)), and ends its connection once established. A
   * connection that the peer reset counts as established.
   *
   * @returns -EINPROGRESS while the handshake is in progress. Otherwise the socket is released. The result is
   * then the round-trip time in microseconds (0 if unmeasured), or another negative error number if the
   * handshake failed
   */
  poll(fd: number): number {
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
      bytes.readUInt32LE(VALUE.start + TCP_INFO_LAST_ACK_RECEIVED) < ACK_DELAY_MS;
    // A process that may have accepted the connection gets a FIN: some treat a reset as an error.
    if (isUnseen) this.cancel(fd);
    else this.#calls.close(fd);
    return roundTrip;
  }

  /** Ends a handshake in progress or just established. Releases its socket. */
  cancel(fd: number): void {
    checkDescriptor(fd);
    const isKept = this.#spare.length < MAX_SPARE;
    if (isKept && this.#calls.connect(fd, this.#noAddress, SOCKADDR_BYTES) >= 0) this.#spare.push(fd);
    else this.#calls.close(fd);
  }

  /** Opens a socket. Returns it, or a negative error number. */
  #open(): number {
    const fd = this.#calls.socket(this.#family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -this.#calls.errno();
    // On a connecting socket, this makes Linux delay the last ACK of the handshake
    // (tcp_rcv_synsent_state_process). Without it handshakes still work, but the peer sees a connection that
    // is reset.
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
