/**
 * Max length of a slice. A slice of 2 ms stays below 5 ms on a slow machine, with the step that ends it and a collection of
 * garbage.
 */
const SLICE_MS = 2;

/** Calls back once in another turn of the thread's loop, behind what has come meanwhile. */
export type NextTurn = (callback: () => void) => void;

/**
 * Divides one long piece of work into slices, so that the thread serves others in between. The work asks behind each of its
 * steps: `if (slices.isOver()) await slices.next();`.
 */
export class Slices {
  readonly #nextTurn: NextTurn;
  readonly #now: () => number;
  #endsAt: number;
  #reason: Error | null = null;

  /**
   * Begins the first slice.
   *
   * @param nextTurn `setImmediate` in a thread that has only Node's loop
   * @param now milliseconds, monotonic
   */
  constructor(nextTurn: NextTurn, now: () => number = () => performance.now()) {
    this.#nextTurn = nextTurn;
    this.#now = now;
    this.#endsAt = now() + SLICE_MS;
  }

  /** Tells whether the slice is over, so that {@link next} must be awaited. */
  isOver(): boolean {
    return this.#now() >= this.#endsAt;
  }

  /** Resolves when the next slice begins. Rejects once the work has been cancelled. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#nextTurn(resolve));
    this.check();
    this.#endsAt = this.#now() + SLICE_MS;
  }

  /** Throws once the work has been cancelled. For work that waits for something else than a slice. */
  check(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** Lets the work end at its next border of slices. @param reason what it rejects with */
  cancel(reason: Error): void {
    this.#reason = reason;
  }
}
