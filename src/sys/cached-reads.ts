import { PinnedBuffer, addressWithin } from './memory/pinned-buffer.ts';
import { checkDescriptor, nativeCalls } from './native-calls.ts';
import type { NativeCalls } from './native-calls.ts';

/** RWF_NOWAIT of preadv2(2): fail with EAGAIN instead of waiting for a disk. */
const NO_WAIT = 8;
/** Size of `struct iovec`: an address and a length. */
const IOVEC_BYTES = 16;

/** Reads the parts of files that the kernel has cached. Never waits for a disk. */
export class CachedReads {
  /** Starts with the result of the last {@link read}. */
  readonly bytes: Buffer;
  readonly #buffer: PinnedBuffer;
  readonly #vector = new PinnedBuffer(IOVEC_BYTES);
  readonly #preadv2: NonNullable<NativeCalls['preadv2']>;

  /**
   * @param size max bytes of a read
   * @throws Error if system calls are not supported, or the C library has no preadv2
   */
  constructor(size: number) {
    const { preadv2 } = nativeCalls();
    if (preadv2 === null) throw new Error('the C library has no preadv2');
    this.#preadv2 = preadv2;
    this.#buffer = new PinnedBuffer(size);
    this.bytes = this.#buffer.bytes;
    this.#vector.bytes.writeBigUInt64LE(BigInt(addressWithin(this.#buffer, 0, size)), 0);
  }

  /**
   * Reads a part of a file to the start of {@link bytes}.
   *
   * @param length 1 or more
   * @returns number of bytes; 0 at the end of the file; -1 if they are not cached, or the file system does
   * not know
   */
  read(fd: number, length: number, position: number): number {
    checkDescriptor(fd);
    // Throws for a length that exceeds the buffer.
    addressWithin(this.#buffer, 0, length);
    this.#vector.bytes.writeBigUInt64LE(BigInt(length), 8);
    return this.#preadv2(fd, addressWithin(this.#vector, 0, IOVEC_BYTES), 1, position, NO_WAIT);
  }
}
