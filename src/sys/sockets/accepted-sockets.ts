import { DescriptorSwap } from '../descriptors/descriptor-swap.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import {
  FIONREAD,
  IPPROTO_TCP,
  SHUT_RD,
  SOL_SOCKET,
  SO_COOKIE,
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_INFO,
  TCP_INFO_BYTES,
  TCP_INFO_LAST_DATA_RECEIVED,
  TCP_INFO_RECEIVED,
  TCP_INFO_STATE,
} from '../socket-constants.ts';

/** Reads the kernel's state of TCP connections that a library of this thread owns. */
export class AcceptedSockets {
  readonly #calls = nativeCalls();
  readonly #memory = new PinnedBuffer(8 + TCP_INFO_BYTES);
  readonly #length = addressWithin(this.#memory, 0, 4);
  readonly #value = addressWithin(this.#memory, 8, 8 + TCP_INFO_BYTES);

  /** Returns the bytes received in order since the start, read or not; -1 if unknown. */
  received(fd: number): number {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)) return -1;
    const { bytes } = this.#memory;
    const at = 8 + TCP_INFO_RECEIVED;
    return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  }

  /** Returns the milliseconds since the last received byte; Infinity if unknown. */
  silence(fd: number): number {
    if (!this.#get(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)) return Infinity;
    return this.#memory.bytes.readUInt32LE(8 + TCP_INFO_LAST_DATA_RECEIVED);
  }

  /** Returns the number of received bytes that are unread. */
  unread(fd: number): number {
    checkDescriptor(fd);
    if (this.#calls.ioctl(fd, FIONREAD, this.#value) !== 0) return 0;
    return this.#memory.bytes.readInt32LE(8);
  }

  /** Reports whether our side sent FIN and waits for the peer's. */
  isFinishing(fd: number): boolean {
    const state = this.#state(fd);
    return state === TCP_FIN_WAIT1 || state === TCP_FIN_WAIT2;
  }

  /** Reports whether the peer received all our bytes and our FIN, and has not sent its own FIN. */
  hasFinished(fd: number): boolean {
    return this.#state(fd) === TCP_FIN_WAIT2;
  }

  /** Returns a number unique to this socket until the system restarts; 0 if unknown. */
  cookie(fd: number): number {
    if (!this.#get(fd, SOL_SOCKET, SO_COOKIE, 8)) return 0;
    const { bytes } = this.#memory;
    return bytes.readUInt32LE(8) + bytes.readUInt32LE(12) * 2 ** 32;
  }

  /**
   * Makes reads end after the bytes received so far. Does nothing if the descriptor is now another socket.
   */
  endReading(fd: number, cookie: number): void {
    if (cookie !== 0 && this.cookie(fd) === cookie) this.#calls.shutdown(fd, SHUT_RD);
  }

  /** Creates a swap of the descriptors of sockets. @throws SystemCallError without enough descriptors */
  swap(fds: readonly number[]): DescriptorSwap {
    return new DescriptorSwap(fds);
  }

  /** Returns the kernel's number of a connection's state; -1 if the descriptor is not a connection. */
  #state(fd: number): number {
    return this.#get(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)
      ? this.#memory.bytes[8 + TCP_INFO_STATE]!
      : -1;
  }

  /** Reads the first `size` bytes of an option. Returns false if the option is shorter. */
  #get(fd: number, level: number, option: number, size: 8 | typeof TCP_INFO_BYTES): boolean {
    const { bytes } = this.#memory;
    bytes.writeInt32LE(size, 0);
    return (
      this.#calls.getsockopt(fd, level, option, this.#value, this.#length) === 0 &&
      bytes.readInt32LE(0) === size
    );
  }
}
