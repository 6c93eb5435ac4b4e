/** A share of the thread's time. Unused time is saved up to a limit. */
export class TimeBudget {
  readonly #share: number;
  readonly #maxSavedMs: number;
  #savedMs: number;
  #creditedAt: number;

  /** @param share fraction of the time, from 0 to 1 */
  constructor(share: number, maxSavedMs: number, now: number) {
    this.#share = share;
    this.#maxSavedMs = maxSavedMs;
    this.#savedMs = maxSavedMs;
    this.#creditedAt = now;
  }

  /** Returns the milliseconds until time may be spent, 0 or less if it may be spent now. */
  wait(now: number): number {
    this.#savedMs = Math.min(this.#maxSavedMs, this.#savedMs + (now - this.#creditedAt) * this.#share);
    this.#creditedAt = now;
    return -this.#savedMs / this.#share;
  }

  spend(ms: number): void {
    this.#savedMs -= ms;
  }
}
