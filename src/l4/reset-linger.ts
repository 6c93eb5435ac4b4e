/** Max time for which a side takes none of the bytes that wait for it. */
const MAX_STALL_MS = 5_000;
const MAX_LINGER_MS = 30_000;

/**
 * Decides when a reset is passed on to the other side of a tunnel. A reset makes the kernel drop what it has not sent, so
 * first the side gets the bytes that came before the reset, as long as it takes them.
 */
export class ResetLinger {
  readonly #since: number;
  #left = Infinity;
  #movedAt: number;

  /** @param now milliseconds, by the clock that {@link isOver} gets */
  constructor(now: number) {
    this.#since = this.#movedAt = now;
  }

  /** @param left bytes that the side has not acknowledged */
  isOver(left: number, now: number): boolean {
    if (left < this.#left) this.#movedAt = now;
    this.#left = left;
    return left === 0 || now - this.#movedAt >= MAX_STALL_MS || now - this.#since >= MAX_LINGER_MS;
  }
}
