/** Bounds of a {@link Backoff}, in milliseconds. */
export interface BackoffLimits {
  readonly first: number;
  readonly most: number;
}

/**
 * Exponential backoff with equal jitter: the nth delay lies between half and the whole of `first * 2^n`, and
 * never above `most`. Half of it is random so that many that fail together do not return together.
 */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #failures = 0;

  constructor(limits: BackoffLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** Counts a failure and returns how many milliseconds to wait before the next try. */
  next(): number {
    // Beyond some thousand doublings 0 * Infinity would be no number at all.
    const doublings = Math.min(this.#failures, 52);
    const ceiling = Math.min(this.#limits.most, this.#limits.first * 2 ** doublings);
    this.#failures++;
    return ceiling / 2 + (ceiling / 2) * this.#random();
  }

  /** Forgets the failures, after a success that lasted. */
  reset(): void {
    this.#failures = 0;
  }
}
