import { noteOpen } from '../descriptors/descriptor-table.ts';
import { EAGAIN, SystemCallError } from '../errno.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { O_CLOEXEC, O_NONBLOCK } from './socket-constants.ts';

const F_SETPIPE_SZ = 1031;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

/** What a pipe is asked to hold. It holds pages, which need not be full, so that this is more than {@link Pipe.most}. */
const PIPE_SIZE = 1024 * 1024;

/**
 * Carries bytes from one socket to another without copying them: the kernel hands the pages on. It is used for one
 * transfer at a time, and what one leaves in it never becomes part of another.
 */
export class Pipe {
  readonly #calls: NativeCalls;
  readonly #ends = new PinnedBuffer(8);
  /** The most that one transfer carries. */
  readonly #most: number;
  #readEnd = -1;
  #writeEnd = -1;
  #held = 0;

  /** @param most bytes of a transfer, 1 or more. Throws where system calls are not supported or descriptors are out. */
  constructor(most: number) {
    this.#calls = nativeCalls();
    this.#most = most;
    this.#open();
  }

  /**
   * Takes what a stream socket has received, as far as there is room.
   *
   * @returns how many bytes; 0 where the other side has ended its direction; an error number, negative: -EAGAIN
   *   where nothing has come, -EINVAL where the socket's kind cannot do this
   */
  fill(fd: number): number {
    checkDescriptor(fd);
    if (this.#held > 0 || this.#writeEnd < 0) this.#renew();
    const taken = this.#calls.splice(fd, 0, this.#writeEnd, 0, this.#most, FLAGS);
    if (taken < 0) return -this.#calls.errno();
    this.#held = taken;
    return taken;
  }

  /**
   * Sends what {@link fill} took.
   *
   * @returns 0 where all of it has gone, else what stopped it as a negative error number: -EAGAIN where there is no
   *   more room. What has not gone is for {@link rest}.
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
   * Copies what is left to the start of a buffer, which has room for a whole transfer.
   *
   * @returns how many bytes that is
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

  /** Closes the pipe, with what is in it. */
  close(): void {
    for (const fd of [this.#readEnd, this.#writeEnd]) if (fd >= 0) this.#calls.close(fd);
    this.#readEnd = this.#writeEnd = -1;
    this.#held = 0;
  }

  /** Something was thrown while bytes were in the pipe: they go with it. */
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
    // Where the system's limit is lower the pipe keeps its size, and transfers are shorter.
    this.#calls.fcntl(this.#writeEnd, F_SETPIPE_SZ, PIPE_SIZE);
  }
}
