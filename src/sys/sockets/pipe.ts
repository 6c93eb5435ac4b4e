import { noteOpen } from '../descriptors/descriptor-table.ts';
import { EAGAIN, SystemCallError } from '../errno.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import {
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NONBLOCK,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from '../socket-constants.ts';

const FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

/** Requested size of a pipe. Its pages may be partly filled, so a transfer can be smaller. */
const PIPE_BYTES = 1024 * 1024;

/**
 * Moves bytes from one socket to another without copying: the kernel moves the pages. Serves one transfer at
 * a time. Leftover bytes of one transfer never get into another.
 */
export class Pipe {
  readonly #calls: NativeCalls;
  readonly #ends = new PinnedBuffer(8);
  #readEnd = -1;
  #writeEnd = -1;
  #held = 0;

  /** @throws Error if system calls are not supported; SystemCallError if no descriptor is free */
  constructor() {
    this.#calls = nativeCalls();
    this.#open();
  }

  /**
   * Takes received bytes from a stream socket, as far as the pipe has room.
   *
   * @param maxBytes 1 or more
   * @returns number of bytes; 0 if the peer sent FIN; a negative error number: -EAGAIN without received
   * bytes, -EINVAL for unsupported sockets
   */
  fill(fd: number, maxBytes: number): number {
    checkDescriptor(fd);
    if (!(maxBytes >= 1)) throw new RangeError(`a pipe moves at least 1 byte, not ${maxBytes}`);
    if (this.#held > 0 || this.#writeEnd < 0) this.#renew();
    const taken = this.#calls.splice(fd, 0, this.#writeEnd, 0, maxBytes, FLAGS);
    if (taken < 0) return -this.#calls.errno();
    this.#held = taken;
    return taken;
  }

  /**
   * Sends the bytes that {@link fill} took.
   *
   * @returns 0 if all bytes are sent; otherwise a negative error number: -EAGAIN without room. {@link rest}
   * returns the unsent bytes.
   */
  drain(fd: number): number {
    checkDescriptor(fd);
    while (this.#held > 0) {
      const gone = this.#calls.splice(this.#readEnd, 0, fd, 0, this.#held, FLAGS);
      if (gone < 0) return -this.#calls.errno();
      if (gone === 0) return -EAGAIN;
      this.#held -= gone;
    }
    return 0;
  }

  /**
   * Copies the unsent bytes to the start of a buffer, which must have room.
   *
   * @returns number of bytes
   */
  rest(into: PinnedBuffer): number {
    let length = 0;
    while (this.#held > 0) {
      const place = addressWithin(into, length, length + this.#held);
      const copied = this.#calls.read(this.#readEnd, place, this.#held);
      if (copied <= 0) throw new SystemCallError('read', this.#calls.errno(), 'a pipe');
      this.#held -= copied;
      length += copied;
    }
    return length;
  }

  /** Bytes in the pipe. */
  get held(): number {
    return this.#held;
  }

  /** Closes the pipe and drops its bytes. */
  close(): void {
    for (const fd of [this.#readEnd, this.#writeEnd]) if (fd >= 0) this.#calls.close(fd);
    this.#readEnd = this.#writeEnd = -1;
    this.#held = 0;
  }

  /** Replaces the pipe, and drops bytes that an earlier exception left in it. */
  #renew(): void {
    this.close();
    this.#open();
  }

  #open(): void {
    const { bytes } = this.#ends;
    if (this.#calls.pipe2(addressWithin(this.#ends, 0, 8), O_NONBLOCK | O_CLOEXEC) < 0) {
      throw new SystemCallError('pipe2', this.#calls.errno());
    }
    this.#readEnd = bytes.readInt32LE(0);
    this.#writeEnd = bytes.readInt32LE(4);
    noteOpen(this.#readEnd);
    noteOpen(this.#writeEnd);
    // If the system's limit is lower, the pipe keeps its size, and transfers are shorter.
    this.#calls.fcntl(this.#writeEnd, F_SETPIPE_SZ, PIPE_BYTES);
  }
}
