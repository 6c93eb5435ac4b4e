import { randomFillSync } from 'node:crypto';

const POOL_SIZE = 8192;

/** Random bytes from the system's generator, drawn in batches: a system call each time would cost more than the rest. */
export class RandomPool {
  readonly #pool = Buffer.allocUnsafeSlow(POOL_SIZE);
  #used = POOL_SIZE;

  /** The next `count` bytes (1 to 64), valid until the next call. No byte is ever given out twice. */
  take(count: number): Buffer {
    if (this.#used + count > POOL_SIZE) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const bytes = this.#pool.subarray(this.#used, this.#used + count);
    this.#used += count;
    return bytes;
  }

  /** The next 32 bits as a signed integer. */
  int32(): number {
    if (this.#used + 4 > POOL_SIZE) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const value = this.#pool.readInt32LE(this.#used);
    this.#used += 4;
    return value;
  }
}
