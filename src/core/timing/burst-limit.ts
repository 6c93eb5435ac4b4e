/** Rate of a {@link BurstLimit}. */
export interface BurstRate {
  /** Max consecutive events after a long pause. */
  readonly burst: number;
  /** Milliseconds per further event. */
  readonly everyMs: number;
}

/** Limits events with a token bucket, and counts those it suppresses. */
export class BurstLimit {
  readonly #rate: BurstRate;
  readonly #clock: () => number;
  #allowed: number;
  #at: number;
  #suppressed = 0;

  /** @param clock monotonic clock in milliseconds */
  constructor(clock: () => number, rate: BurstRate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#allowed = rate.burst;
    this.#at = clock();
  }

  /** Counts an event. Returns 0 to suppress it, otherwise 1 plus the number suppressed since the last one. */
  take(): number {
    const { burst, everyMs } = this.#rate;
    const now = this.#clock();
    this.#allowed = Math.min(burst, this.#allowed + (now - this.#at) / everyMs);
    this.#at = now;
    this.#suppressed++;
    if (this.#allowed < 1) return 0;
    this.#allowed--;
    const count = this.#suppressed;
    this.#suppressed = 0;
    return count;
  }
}
