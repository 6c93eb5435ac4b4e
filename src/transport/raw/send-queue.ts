import { SparePool } from '../../core/collections/spare-pool.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { Pipe } from '../../sys/sockets/pipe.ts';

/**
 * Sizes of the blocks, in ascending order. The allocator maps the largest blocks individually
 * (`sys/memory/allocator.ts`): only written pages are resident, and freeing a block returns all of them to
 * the system.
 */
const BLOCK_BYTES = [4 * 1024, 16 * 1024, 256 * 1024];
/** Max bytes of free blocks that a thread keeps, for each size. */
const MAX_SPARE_BYTES = 2 * 1024 * 1024;
const pools = BLOCK_BYTES.map((size) => new SparePool(MAX_SPARE_BYTES / size, () => new PinnedBuffer(size)));

/** A destination for bytes. */
interface SendTarget {
  /**
   * Sends as much of `buffer[start, end)` as there is room for. Returns the result of `PinnedBuffer.send`.
   * Without room, the next call gets the same bytes, possibly with more after them.
   */
  transmit(buffer: PinnedBuffer, start: number, end: number): number;
}

/** The descriptor of the current {@link SendQueue.send}. */
const descriptor = {
  fd: -1,
  transmit(buffer: PinnedBuffer, start: number, end: number): number {
    return buffer.send(this.fd, start, end);
  },
};

/** Bytes that the kernel has not taken yet, in order. An idle connection has no queue. */
export class SendQueue {
  /** Number of waiting bytes. */
  length = 0;
  readonly #blocks: PinnedBuffer[] = [];
  /** Start of the bytes in the first block, and their end in the last. The blocks between are full. */
  #start = 0;
  #end = 0;

  /** Adds a copy of the bytes. */
  push(bytes: Uint8Array): void {
    let rest = bytes;
    const last = this.#blocks.at(-1);
    if (last !== undefined) {
      const part = rest.subarray(0, last.bytes.length - this.#end);
      last.bytes.set(part, this.#end);
      this.#end += part.length;
      rest = rest.subarray(part.length);
    }
    while (rest.length > 0) {
      const block = takeBlock(rest.length);
      const part = rest.subarray(0, block.bytes.length);
      block.bytes.set(part);
      this.#blocks.push(block);
      this.#end = part.length;
      rest = rest.subarray(part.length);
    }
    this.length += bytes.length;
  }

  /** Adds the contents of a pipe, at most 256 KiB. The queue must be empty. */
  takeFrom(pipe: Pipe): void {
    const block = takeBlock(pipe.held);
    this.#blocks.push(block);
    this.#start = 0;
    this.#end = this.length = pipe.rest(block);
  }

  /** Sends as much as the kernel takes. Returns the result of {@link sendTo}. */
  send(fd: number): number {
    descriptor.fd = fd;
    return this.sendTo(descriptor);
  }

  /** Sends as much as the target takes. Returns 0, or the negative error number that stopped the send. */
  sendTo(target: SendTarget): number {
    while (this.length > 0) {
      const first = this.#blocks[0]!;
      const end = this.#blocks.length === 1 ? this.#end : first.bytes.length;
      const sent = target.transmit(first, this.#start, end);
      if (sent < 0) return sent;
      this.length -= sent;
      this.#start += sent;
      if (this.#start < end) return 0;
      this.#blocks.shift();
      giveBlock(first);
      this.#start = 0;
    }
    return 0;
  }

  /** Drops all bytes and frees their memory. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) giveBlock(block);
    this.length = 0;
    this.#start = 0;
    this.#end = 0;
  }
}

/** Returns a block of the smallest sufficient size, or one of the largest size. */
function takeBlock(bytes: number): PinnedBuffer {
  const index = BLOCK_BYTES.findIndex((size) => size >= bytes);
  return pools.at(index)!.take();
}

/**
 * Returns a block to its pool, or frees it. Garbage collection would leave up to 64 MiB of blocks per thread.
 */
function giveBlock(block: PinnedBuffer): void {
  const pool = pools[BLOCK_BYTES.indexOf(block.bytes.length)]!;
  if (!pool.give(block)) block.free();
}
