import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;

/** Random bytes from the system, read in batches: a system call for each use would dominate the cost. */
export class RandomPool {
  readonly #pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  #used = POOL_BYTES;

  /** Returns the next `count` bytes (1 to 64), valid until the next call. Never returns a byte twice. */
  take(count: number): Buffer {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const bytes = this.#pool.subarray(this.#used, this.#used + count);
    this.#used += count;
    return bytes;
  }

  /** Returns the next 32 bits as a signed integer. */
  int32(): number {
    if (this.#used + 4 > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const value = this.#pool.readInt32LE(this.#used);
    this.#used += 4;
    return value;
  }
}
