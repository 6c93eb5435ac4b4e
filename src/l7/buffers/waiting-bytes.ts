import { SparePool } from '../../core/collections/spare-pool.ts';

const BLOCK_BYTES = 64 * 1024;
const MAX_SPARE_BLOCKS = 64;
/** Free blocks of this thread, kept because dropped memory is not free until the next garbage collection. */
const spareBlocks = new SparePool<Uint8Array>(MAX_SPARE_BLOCKS, () => new Uint8Array(BLOCK_BYTES));

/** A queue of bytes. It uses at most twice its length in memory, even for small pieces. */
export class WaitingBytes {
  /** Number of queued bytes. */
  length = 0;
  readonly #blocks: Uint8Array[] = [];
  /** Free bytes in the last block. */
  #room = 0;
  /** The block that {@link shift} returned last. */
  #taken: Uint8Array | null = null;

  /** Appends a copy of the bytes. */
  push(bytes: Uint8Array): void {
    let at = Math.min(this.#room, bytes.length);
    if (at > 0) {
      const last = this.#blocks.at(-1)!;
      last.set(bytes.subarray(0, at), last.length - this.#room);
      this.#room -= at;
      this.length += at;
    }
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + BLOCK_BYTES);
      // The block is as large as all earlier blocks together, which limits their number for small pieces.
      const size = Math.min(BLOCK_BYTES, Math.max(part.length, this.length));
      const block = size === BLOCK_BYTES ? spareBlocks.take() : new Uint8Array(size);
      block.set(part);
      this.#blocks.push(block);
      this.#room = size - part.length;
      this.length += part.length;
      at += part.length;
    }
  }

  /** Removes bytes from the front, valid until the next call. Returns null if the queue is empty. */
  shift(): Uint8Array | null {
    this.#release();
    const block = this.#blocks.shift() ?? null;
    this.#taken = block;
    if (block === null) return null;
    const isLast = this.#blocks.length === 0;
    const used = isLast ? block.length - this.#room : block.length;
    if (isLast) this.#room = 0;
    this.length -= used;
    return used === block.length ? block : block.subarray(0, used);
  }

  /** Drops all bytes. */
  clear(): void {
    while (this.shift() !== null);
  }

  #release(): void {
    const block = this.#taken;
    this.#taken = null;
    if (block?.length === BLOCK_BYTES) spareBlocks.give(block);
  }
}
