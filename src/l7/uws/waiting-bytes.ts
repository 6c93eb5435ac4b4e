/** Bytes wait in blocks of one size, which are used again: what is thrown away is not free at once. */
const BLOCK = 64 * 1024;
const MAX_SPARE_BLOCKS = 64;
const spare: Uint8Array[] = [];

/**
 * Bytes in the order in which they came, until somebody takes them. Their memory is at most twice their length, however
 * small the pieces are.
 */
export class WaitingBytes {
  /** How many they are. */
  length = 0;
  readonly #blocks: Uint8Array[] = [];
  /** Free bytes in the last block. */
  #room = 0;
  /** The block that has been given out last. */
  #taken: Uint8Array | null = null;

  /** Adds a copy. */
  push(bytes: Uint8Array): void {
    let at = Math.min(this.#room, bytes.length);
    if (at > 0) {
      const last = this.#blocks.at(-1)!;
      last.set(bytes.subarray(0, at), last.length - this.#room);
      this.#room -= at;
      this.length += at;
    }
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + BLOCK);
      // As large as all blocks before: many small pieces need few blocks.
      const size = Math.min(BLOCK, Math.max(part.length, this.length));
      const block = size === BLOCK ? (spare.pop() ?? new Uint8Array(BLOCK)) : new Uint8Array(size);
      block.set(part);
      this.#blocks.push(block);
      this.#room = size - part.length;
      this.length += part.length;
      at += part.length;
    }
  }

  /** Takes some from the front, valid until the next call; null where there are none. */
  shift(): Uint8Array | null {
    this.#giveBack();
    const block = this.#blocks.shift() ?? null;
    this.#taken = block;
    if (block === null) return null;
    const isLast = this.#blocks.length === 0;
    const used = isLast ? block.length - this.#room : block.length;
    if (isLast) this.#room = 0;
    this.length -= used;
    return used === block.length ? block : block.subarray(0, used);
  }

  /** Forgets all of them. */
  clear(): void {
    while (this.shift() !== null);
  }

  #giveBack(): void {
    const block = this.#taken;
    this.#taken = null;
    if (block?.length === BLOCK && spare.length < MAX_SPARE_BLOCKS) spare.push(block);
  }
}
