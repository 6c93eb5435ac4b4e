import { PinnedBuffer } from '../../sys/pinned-buffer.ts';

/** Little is kept in a small buffer of its own, because many may wait with little. */
const SMALL = 16 * 1024;
/** More is kept in buffers of one size, which are used again: what is thrown away is not free at once. */
const LARGE = 64 * 1024;
const MOST_SPARE = 64;
const spare: PinnedBuffer[] = [];

/** Bytes that the kernel has not taken yet, in order. */
export class SendQueue {
  /** How many bytes wait. */
  length = 0;
  readonly #buffers: PinnedBuffer[] = [];
  /** Where the bytes begin in the first buffer, and where they end in the last. */
  #start = 0;
  #end = 0;

  /** Adds a copy of the bytes. */
  push(bytes: Uint8Array): void {
    let rest = bytes;
    const last = this.#buffers.at(-1);
    if (last !== undefined) {
      const part = rest.subarray(0, last.bytes.length - this.#end);
      last.bytes.set(part, this.#end);
      this.#end += part.length;
      rest = rest.subarray(part.length);
    }
    while (rest.length > 0) {
      const buffer = rest.length > SMALL ? (spare.pop() ?? new PinnedBuffer(LARGE)) : new PinnedBuffer(SMALL);
      const part = rest.subarray(0, buffer.bytes.length);
      buffer.bytes.set(part);
      this.#buffers.push(buffer);
      this.#end = part.length;
      rest = rest.subarray(part.length);
    }
    this.length += bytes.length;
  }

  /** Sends what the kernel takes. Returns 0, or the error number, negative, that sending ended with. */
  send(fd: number): number {
    while (this.length > 0) {
      const first = this.#buffers[0]!;
      const end = this.#buffers.length === 1 ? this.#end : first.bytes.length;
      const sent = first.send(fd, this.#start, end);
      if (sent < 0) return sent;
      this.length -= sent;
      this.#start += sent;
      if (this.#start < end) return 0;
      this.#buffers.shift();
      if (first.bytes.length === LARGE && spare.length < MOST_SPARE) spare.push(first);
      this.#start = 0;
    }
    return 0;
  }
}
