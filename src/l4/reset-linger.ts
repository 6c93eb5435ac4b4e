/** Max time without progress while the side still has bytes to acknowledge. */
const MAX_STALL_MS = 5_000;
const MAX_LINGER_MS = 30_000;

/**
 * Decides when to pass a reset on to the other side of a tunnel. A reset makes the kernel drop unsent bytes,
 * so the side first gets the bytes received before the reset, as long as it reads.
 */
export class ResetLinger {
  readonly #since: number;
  #left = Infinity;
  #movedAt: number;

  /** @param now milliseconds, on the clock passed to {@link isOver} */
  constructor(now: number) {
    this.#since = this.#movedAt = now;
  }

  /** @param left bytes the side has not acknowledged */
  isOver(left: number, now: number): boolean {
    if (left < this.#left) this.#movedAt = now;
    this.#left = left;
    return left === 0 || now - this.#movedAt >= MAX_STALL_MS || now - this.#since >= MAX_LINGER_MS;
  }
}
