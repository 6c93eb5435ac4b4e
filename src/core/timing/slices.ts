/**
 * Max length of a slice. A 2 ms slice, its last step and one garbage collection stay below 5 ms on a slow
 * machine.
 */
const SLICE_MS = 2;

/** Calls back once, in a later turn of the thread's loop, after the events that are already queued. */
export type NextTurn = (callback: () => void) => void;

/**
 * Divides long work into slices, so that the thread can serve others in between. Call `if (slices.isOver())
 * await slices.next();` after each step of the work.
 */
export class Slices {
  readonly #nextTurn: NextTurn;
  readonly #now: () => number;
  #endsAt: number;
  #reason: Error | null = null;

  /**
   * Starts the first slice.
   *
   * @param nextTurn `setImmediate` in a thread that has only Node's loop
   * @param now monotonic clock in milliseconds
   */
  constructor(nextTurn: NextTurn, now: () => number = () => performance.now()) {
    this.#nextTurn = nextTurn;
    this.#now = now;
    this.#endsAt = now() + SLICE_MS;
  }

  /** Reports whether the slice is over, so that {@link next} must be awaited. */
  isOver(): boolean {
    return this.#now() >= this.#endsAt;
  }

  /** Resolves at the start of the next slice. Rejects once the work is cancelled. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#nextTurn(resolve));
    this.check();
    this.#endsAt = this.#now() + SLICE_MS;
  }

  /**
   * Checks for cancellation. Needed only by work that waits for something other than a slice.
   *
   * @throws Error with the reason once the work is cancelled
   */
  check(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** Cancels the work, which ends at its next slice. @param reason error to reject with */
  cancel(reason: Error): void {
    this.#reason = reason;
  }
}
