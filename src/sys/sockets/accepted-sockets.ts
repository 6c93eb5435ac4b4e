import { readFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { Disguise } from '../descriptors/disguise.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { setOption } from './listening-sockets.ts';
import {
  FIONREAD,
  IPPROTO_TCP,
  SHUT_RD,
  SOL_SOCKET,
  SO_COOKIE,
  SO_RCVBUF,
  TCP_INFO,
  TCP_SYNCNT,
} from './socket-constants.ts';

/**
 * `struct tcp_info`: the connection's state, `tcpi_last_data_recv` in milliseconds, and `tcpi_bytes_received`, 64 bits,
 * which Linux has since 4.1.
 */
const INFO_STATE = 0;
const INFO_LAST_DATA_RECEIVED = 52;
const INFO_RECEIVED = 128;
const INFO_SIZE = 136;
const TCP_FIN_WAIT1 = 4;
const TCP_FIN_WAIT2 = 5;

/** Bytes by which the receive buffers of two threads' sockets differ at most. */
const MAX_MARK = 4096;
/** SYN retransmissions: means nothing for a connection that was accepted, and nobody else asks for this number. */
const MARK_SYN_COUNT = 97;

/**
 * Marks a listening socket, so that {@link AcceptedSockets} of the same thread finds the sockets that it accepts. The
 * marks are two options that those inherit: a receive buffer of the thread's own size, and TCP_SYNCNT.
 *
 * @param receiveBuffer bytes, without the mark
 * @returns whether the system took the mark as it is
 */
export function markListening(fd: number, receiveBuffer: number): boolean {
  checkDescriptor(fd);
  // The system cuts what is above net.core.rmem_max, and then all threads would have one mark.
  return (
    setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer + threadMark()) &&
    setOption(fd, IPPROTO_TCP, TCP_SYNCNT, MARK_SYN_COUNT) &&
    new AcceptedSockets(receiveBuffer).includes(fd)
  );
}

/** The TCP sockets that a library in this thread has accepted, and what the system knows of them. */
export class AcceptedSockets {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + INFO_SIZE);
  readonly #length = addressWithin(this.#memory, 0, 4);
  readonly #value = addressWithin(this.#memory, 8, 8 + INFO_SIZE);
  readonly #receiveBuffer: number;

  /** @param receiveBuffer as for {@link markListening}. Throws if system calls are not supported. */
  constructor(receiveBuffer: number) {
    // The system doubles what it is asked for.
    this.#receiveBuffer = 2 * (receiveBuffer + threadMark());
  }

  /** Whether a listening socket with this thread's mark has accepted the socket, or is it. */
  includes(fd: number): boolean {
    return (
      this.#option(fd, SOL_SOCKET, SO_RCVBUF) === this.#receiveBuffer &&
      this.#option(fd, IPPROTO_TCP, TCP_SYNCNT) === MARK_SYN_COUNT
    );
  }

  /** All descriptors that are included, except those that the caller knows. Throws if there is no /proc. */
  find(isKnown: (fd: number) => boolean): number[] {
    const size = this.tableSize();
    const found: number[] = [];
    for (let fd = 0; fd < size; fd++) if (!isKnown(fd) && this.includes(fd)) found.push(fd);
    return found;
  }

  /** Returns a number that is greater than every descriptor. Throws if there is no /proc. */
  tableSize(): number {
    const status = readFileSync('/proc/self/status', 'latin1');
    const size = Number(/^FDSize:\s*(\d+)$/m.exec(status)?.[1]);
    if (!(size > 0)) throw new Error('/proc/self/status tells no FDSize');
    return size;
  }

  /** Bytes that have come in order since the connection began, read or not; -1 if the system does not tell. */
  received(fd: number): number {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, INFO_SIZE)) return -1;
    const { bytes } = this.#memory;
    const at = 8 + INFO_RECEIVED;
    return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  }

  /** Milliseconds since the last byte came; Infinity if the system does not tell. */
  silence(fd: number): number {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, INFO_SIZE)) return Infinity;
    return this.#memory.bytes.readUInt32LE(8 + INFO_LAST_DATA_RECEIVED);
  }

  /** Received bytes that nobody has read yet. */
  unread(fd: number): number {
    checkDescriptor(fd);
    if (this.#calls.ioctl(fd, FIONREAD, this.#value) !== 0) return 0;
    return this.#memory.bytes.readInt32LE(8);
  }

  /** Whether our side has sent FIN and waits for the other's. */
  isFinishing(fd: number): boolean {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, INFO_SIZE)) return false;
    const state = this.#memory.bytes[8 + INFO_STATE];
    return state === TCP_FIN_WAIT1 || state === TCP_FIN_WAIT2;
  }

  /** A number that no other socket has until the system restarts, or 0 if it does not tell. */
  cookie(fd: number): number {
    if (!this.#get(fd, SOL_SOCKET, SO_COOKIE, 8)) return 0;
    const { bytes } = this.#memory;
    return bytes.readUInt32LE(8) + bytes.readUInt32LE(12) * 2 ** 32;
  }

  /** Lets reads find the end of the stream behind what has come. Does nothing if the descriptor is another socket's. */
  endReading(fd: number, cookie: number): void {
    if (cookie !== 0 && this.cookie(fd) === cookie) this.#calls.shutdown(fd, SHUT_RD);
  }

  /** Throws if there are not enough descriptors. */
  disguise(fds: readonly number[]): Disguise {
    return new Disguise(fds);
  }

  #option(fd: number, level: number, option: number): number {
    return this.#get(fd, level, option, 4) ? this.#memory.bytes.readInt32LE(8) : -1;
  }

  /** Reads an option of exactly the size, or of more for structures that have grown. */
  #get(fd: number, level: number, option: number, size: 4 | 8 | typeof INFO_SIZE): boolean {
    const { bytes } = this.#memory;
    bytes.writeInt32LE(size, 0);
    return (
      this.#calls.getsockopt(fd, level, option, this.#value, this.#length) === 0 &&
      bytes.readInt32LE(0) === size
    );
  }
}

/** Different for each thread of the process. */
function threadMark(): number {
  return threadId % MAX_MARK;
}
