/** Bytes wait in blocks of one size, which are used again: what is thrown away is not free at once. */
const BLOCK = 64 * 1024;
const MOST_SPARE = 64;
const spare: Uint8Array[] = [];

/** Bytes in the order in which they came, until somebody takes them. */
export class WaitingBytes {
  /** How many they are. */
  length = 0;
  readonly #blocks: Uint8Array[] = [];
  /** The block that has been given out last. */
  #taken: Uint8Array | null = null;

  /** Adds a copy. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const part = bytes.subarray(at, at + BLOCK);
      const block =
        part.length === BLOCK ? (spare.pop() ?? new Uint8Array(BLOCK)) : new Uint8Array(part.length);
      block.set(part);
      this.#blocks.push(block);
    }
    this.length += bytes.length;
  }

  /** Takes some from the front, valid until the next call; null where there are none. */
  shift(): Uint8Array | null {
    this.#giveBack();
    const block = this.#blocks.shift() ?? null;
    this.#taken = block;
    this.length -= block?.length ?? 0;
    return block;
  }

  /** Forgets all of them. */
  clear(): void {
    while (this.shift() !== null);
  }

  #giveBack(): void {
    const block = this.#taken;
    this.#taken = null;
    if (block?.length === BLOCK && spare.length < MOST_SPARE) spare.push(block);
  }
}
