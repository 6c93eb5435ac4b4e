/** Bounds of a {@link Backoff}, in milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with equal jitter. The nth delay is between half and all of `firstMs * 2^n`, at most
 * `maxMs`. The random half keeps clients that failed together from retrying together.
 */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #failures = 0;

  constructor(limits: BackoffLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** Counts a failure. Returns the milliseconds to wait before the next attempt. */
  next(): number {
    // After about a thousand doublings, 0 * Infinity would be NaN.
    const doublings = Math.min(this.#failures, 52);
    const ceiling = Math.min(this.#limits.maxMs, this.#limits.firstMs * 2 ** doublings);
    this.#failures++;
    return ceiling / 2 + (ceiling / 2) * this.#random();
  }

  /** Forgets the failures. Call it after a lasting success. */
  reset(): void {
    this.#failures = 0;
  }
}
