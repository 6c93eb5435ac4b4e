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
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_INFO,
  TCP_INFO_BYTES,
  TCP_INFO_LAST_DATA_RECEIVED,
  TCP_INFO_RECEIVED,
  TCP_INFO_STATE,
  TCP_SYNCNT,
} from '../socket-constants.ts';

/** Max difference of the receive buffers of two threads' sockets, in bytes. */
const MAX_MARK_BYTES = 4096;
/** SYN retransmissions: they mean nothing for an accepted connection, and no other code sets this number. */
const MARK_SYN_COUNT = 97;

/**
 * Marks a listening socket, so that {@link AcceptedSockets} of the same thread finds the sockets that it accepts. The marks
 * are two options that accepted sockets inherit: a receive buffer of the thread's size, and TCP_SYNCNT.
 *
 * @param receiveBuffer bytes, without the mark
 * @returns whether the system set the mark unchanged
 */
export function markListening(fd: number, receiveBuffer: number): boolean {
  checkDescriptor(fd);
  // The system cuts sizes above net.core.rmem_max. Then all threads would have the same mark.
  return (
    setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer + threadMark()) &&
    setOption(fd, IPPROTO_TCP, TCP_SYNCNT, MARK_SYN_COUNT) &&
    new AcceptedSockets(receiveBuffer).includes(fd)
  );
}

/** Finds the TCP sockets that a library in this thread has accepted, and reads their state from the system. */
export class AcceptedSockets {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + TCP_INFO_BYTES);
  readonly #length = addressWithin(this.#memory, 0, 4);
  readonly #value = addressWithin(this.#memory, 8, 8 + TCP_INFO_BYTES);
  readonly #receiveBuffer: number;

  /** @param receiveBuffer as for {@link markListening}. Throws if system calls are not supported. */
  constructor(receiveBuffer: number) {
    // The system doubles the requested size.
    this.#receiveBuffer = 2 * (receiveBuffer + threadMark());
  }

  /** Tells whether a listening socket with this thread's mark accepted the socket, or is the socket. */
  includes(fd: number): boolean {
    return (
      this.#option(fd, SOL_SOCKET, SO_RCVBUF) === this.#receiveBuffer &&
      this.#option(fd, IPPROTO_TCP, TCP_SYNCNT) === MARK_SYN_COUNT
    );
  }

  /** Returns all included descriptors except those that the caller knows. Throws without /proc. */
  find(isKnown: (fd: number) => boolean): number[] {
    const size = this.tableSize();
    const found: number[] = [];
    for (let fd = 0; fd < size; fd++) if (!isKnown(fd) && this.includes(fd)) found.push(fd);
    return found;
  }

  /** Returns a number greater than every descriptor. Throws without /proc. */
  tableSize(): number {
    const status = readFileSync('/proc/self/status', 'latin1');
    const size = Number(/^FDSize:\s*(\d+)$/m.exec(status)?.[1]);
    if (!(size > 0)) throw new Error('/proc/self/status tells no FDSize');
    return size;
  }

  /** Returns the bytes received in order since the connection began, read or not; -1 if the system does not tell. */
  received(fd: number): number {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)) return -1;
    const { bytes } = this.#memory;
    const at = 8 + TCP_INFO_RECEIVED;
    return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  }

  /** Returns the milliseconds since the last received byte; Infinity if the system does not tell. */
  silence(fd: number): number {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)) return Infinity;
    return this.#memory.bytes.readUInt32LE(8 + TCP_INFO_LAST_DATA_RECEIVED);
  }

  /** Returns the number of received bytes that are not read yet. */
  unread(fd: number): number {
    checkDescriptor(fd);
    if (this.#calls.ioctl(fd, FIONREAD, this.#value) !== 0) return 0;
    return this.#memory.bytes.readInt32LE(8);
  }

  /** Tells whether our side has sent FIN and waits for the other side's. */
  isFinishing(fd: number): boolean {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)) return false;
    const state = this.#memory.bytes[8 + TCP_INFO_STATE];
    return state === TCP_FIN_WAIT1 || state === TCP_FIN_WAIT2;
  }

  /** Returns a number that no other socket has until the system restarts; 0 if the system does not tell. */
  cookie(fd: number): number {
    if (!this.#get(fd, SOL_SOCKET, SO_COOKIE, 8)) return 0;
    const { bytes } = this.#memory;
    return bytes.readUInt32LE(8) + bytes.readUInt32LE(12) * 2 ** 32;
  }

  /** Makes reads find the end of the stream behind the received bytes. Does nothing if the descriptor is another socket's. */
  endReading(fd: number, cookie: number): void {
    if (cookie !== 0 && this.cookie(fd) === cookie) this.#calls.shutdown(fd, SHUT_RD);
  }

  /** Creates a disguise for sockets. Throws if there are not enough descriptors. */
  disguise(fds: readonly number[]): Disguise {
    return new Disguise(fds);
  }

  #option(fd: number, level: number, option: number): number {
    return this.#get(fd, level, option, 4) ? this.#memory.bytes.readInt32LE(8) : -1;
  }

  /** Reads the first `size` bytes of an option. Returns false if the option is shorter. */
  #get(fd: number, level: number, option: number, size: 4 | 8 | typeof TCP_INFO_BYTES): boolean {
    const { bytes } = this.#memory;
    bytes.writeInt32LE(size, 0);
    return (
      this.#calls.getsockopt(fd, level, option, this.#value, this.#length) === 0 &&
      bytes.readInt32LE(0) === size
    );
  }
}

/** Returns a number that differs between the threads of the process. */
function threadMark(): number {
  return threadId % MAX_MARK_BYTES;
}
