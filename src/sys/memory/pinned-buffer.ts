import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK } from '../socket-constants.ts';

let addressOf: (buffer: PinnedBuffer, start: number, end: number) => number;

/**
 * Bytes at a fixed address, for system calls. Only this class derives the length of a system call: a range
 * outside the bytes throws.
 */
export class PinnedBuffer {
  /** Any code may read and write these bytes. */
  readonly bytes: Buffer<ArrayBuffer>;
  readonly #calls: NativeCalls;
  readonly #address: number;

  /**
   * @param size bytes, 1 or more
   * @throws Error if system calls are not supported
   */
  constructor(size: number) {
    this.#calls = nativeCalls();
    if (!(size >= 1)) throw new RangeError(`a pinned buffer needs at least 1 byte, not ${size}`);
    // Not `Buffer.allocUnsafeSlow`: V8 may keep small buffers in its heap, which moves objects.
    this.bytes = Buffer.from(new ArrayBuffer(size));
    this.#address = this.#calls.addressOf(this.bytes);
  }

  /**
   * Receives into `bytes[start, end)` without waiting.
   *
   * @returns number of bytes; 0 if the peer sent FIN; a negative error number
   */
  recv(fd: number, start: number, end: number): number {
    this.#check(fd, start, end);
    const received = this.#calls.recv(fd, this.#address + start, end - start, MSG_DONTWAIT);
    return received < 0 ? -this.#calls.errno() : received;
  }

  /** Like {@link recv}, but leaves the bytes in the socket. */
  peek(fd: number, start: number, end: number): number {
    this.#check(fd, start, end);
    const received = this.#calls.recv(fd, this.#address + start, end - start, MSG_DONTWAIT | MSG_PEEK);
    return received < 0 ? -this.#calls.errno() : received;
  }

  /**
   * Sends as much of `bytes[start, end)` as there is room for, without waiting.
   *
   * @returns number of bytes, 1 or more; a negative error number: -EAGAIN without room
   */
  send(fd: number, start: number, end: number): number {
    this.#check(fd, start, end);
    const sent = this.#calls.send(fd, this.#address + start, end - start, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -this.#calls.errno() : sent;
  }

  /** Frees the memory now instead of at the next garbage collection. The buffer is empty afterwards. */
  free(): void {
    this.bytes.buffer.transfer(0);
  }

  static {
    addressOf = (buffer, start, end) => {
      buffer.#check(0, start, end);
      return buffer.#address + start;
    };
  }

  /**
   * Checks a range. After `transfer` or `postMessage`, the bytes have no length.
   *
   * @throws RangeError for a range outside the bytes
   */
  #check(fd: number, start: number, end: number): void {
    checkDescriptor(fd);
    if (start >>> 0 !== start || end >>> 0 !== end || start >= end || end > this.bytes.length) {
      throw new RangeError(`[${start}, ${end}) is not a range of a buffer of ${this.bytes.length} bytes`);
    }
  }
}

/** Returns the address of `bytes[start, end)` of a buffer. Only for files in this room. */
export function addressWithin(buffer: PinnedBuffer, start: number, end: number): number {
  return addressOf(buffer, start, end);
}
