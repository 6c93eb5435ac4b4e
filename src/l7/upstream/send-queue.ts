import { PinnedBuffer } from '../../sys/pinned-buffer.ts';

/** Buffers have at least this size, so that many small writes share one. */
const LEAST_SIZE = 16 * 1024;

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
    if (rest.length > 0) {
      const buffer = new PinnedBuffer(Math.max(LEAST_SIZE, rest.length));
      buffer.bytes.set(rest);
      this.#buffers.push(buffer);
      this.#end = rest.length;
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
      this.#start = 0;
    }
    return 0;
  }
}
