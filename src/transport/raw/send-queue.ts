import { SparePool } from '../../core/collections/spare-pool.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/** Block for the first few bytes: many connections may have only those. */
const SMALL_BLOCK_BYTES = 16 * 1024;
/**
 * Block for more. The allocator maps blocks of this size one by one (`sys/memory/allocator.ts`): only pages that are written are
 * resident, and all of them go back to the system when the block is freed.
 */
const LARGE_BLOCK_BYTES = 256 * 1024;
const MAX_SPARE_BLOCKS = 4;
/** Free large blocks of this thread. */
const largeBlocks = new SparePool(MAX_SPARE_BLOCKS, () => new PinnedBuffer(LARGE_BLOCK_BYTES));

/** Bytes that the kernel has not taken yet, in order. */
export class SendQueue {
  /** Waiting bytes. */
  length = 0;
  readonly #blocks: PinnedBuffer[] = [];
  /** Start of the bytes in the first block, and their end in the last. */
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
      const block =
        rest.length > SMALL_BLOCK_BYTES ? largeBlocks.take() : new PinnedBuffer(SMALL_BLOCK_BYTES);
      const part = rest.subarray(0, block.bytes.length);
      block.bytes.set(part);
      this.#blocks.push(block);
      this.#end = part.length;
      rest = rest.subarray(part.length);
    }
    this.length += bytes.length;
  }

  /** Sends what the kernel takes. Returns 0, or the negative error number at which sending stopped. */
  send(fd: number): number {
    while (this.length > 0) {
      const first = this.#blocks[0]!;
      const end = this.#blocks.length === 1 ? this.#end : first.bytes.length;
      const sent = first.send(fd, this.#start, end);
      if (sent < 0) return sent;
      this.length -= sent;
      this.#start += sent;
      if (this.#start < end) return 0;
      this.#blocks.shift();
      giveBack(first);
      this.#start = 0;
    }
    return 0;
  }

  /** Drops all bytes and frees their memory. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) giveBack(block);
    this.length = 0;
    this.#start = 0;
    this.#end = 0;
  }
}

/** Frees a block that is not kept: the garbage collector would leave up to 64 MiB of blocks in each thread. */
function giveBack(block: PinnedBuffer): void {
  if (block.bytes.length === LARGE_BLOCK_BYTES && largeBlocks.give(block)) return;
  block.free();
}
