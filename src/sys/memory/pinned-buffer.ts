import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import type { NativeCalls } from '../native-calls.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL } from '../sockets/socket-constants.ts';

let addressOf: (buffer: PinnedBuffer, start: number, end: number) => number;

/**
 * Bytes at a place in memory that does not change, so that system calls can work on them. It is the one place
 * where a length becomes the length of a system call: a range that does not lie within the bytes throws.
 */
export class PinnedBuffer {
  /** For everybody to read and write. */
  readonly bytes: Buffer<ArrayBuffer>;
  readonly #calls: NativeCalls;
  readonly #address: number;

  /** @param size in bytes, 1 or more. Throws where system calls are not supported. */
  constructor(size: number) {
    this.#calls = nativeCalls();
    if (!(size >= 1)) throw new RangeError(`a buffer of ${size} bytes has no place in memory`);
    // Not `Buffer.allocUnsafeSlow`: V8 may keep what is small in its heap, where it moves.
    this.bytes = Buffer.from(new ArrayBuffer(size));
    this.#address = this.#calls.addressOf(this.bytes);
  }

  /**
   * Receives what has come, without waiting, into `bytes[start, end)`.
   *
   * @returns how many bytes; 0 where the other side has ended its direction; an error number, negative
   */
  recv(fd: number, start: number, end: number): number {
    this.#check(fd, start, end);
    const received = this.#calls.recv(fd, this.#address + start, end - start, MSG_DONTWAIT);
    return received < 0 ? -this.#calls.errno() : received;
  }

  /**
   * Sends `bytes[start, end)`, or as much of it as there is room for now, without waiting.
   *
   * @returns how many bytes, 1 or more, or an error number, negative: -EAGAIN where there is no room
   */
  send(fd: number, start: number, end: number): number {
    this.#check(fd, start, end);
    const sent = this.#calls.send(fd, this.#address + start, end - start, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -this.#calls.errno() : sent;
  }

  /** Frees the memory now, and not when the garbage collector finds it. The buffer has no bytes any more. */
  free(): void {
    this.bytes.buffer.transfer(0);
  }

  static {
    addressOf = (buffer, start, end) => {
      buffer.#check(0, start, end);
      return buffer.#address + start;
    };
  }

  /** A buffer whose memory was handed to somebody else (`transfer`, `postMessage`) has no length any more. */
  #check(fd: number, start: number, end: number): void {
    checkDescriptor(fd);
    if (start >>> 0 !== start || end >>> 0 !== end || start >= end || end > this.bytes.length) {
      throw new RangeError(`[${start}, ${end}) is no range of a buffer of ${this.bytes.length} bytes`);
    }
  }
}

/** Where `bytes[start, end)` of a buffer lies, for the other files of this room and for nobody else. */
export function addressWithin(buffer: PinnedBuffer, start: number, end: number): number {
  return addressOf(buffer, start, end);
}
