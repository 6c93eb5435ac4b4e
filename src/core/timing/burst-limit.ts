/** How often something may happen. */
export interface BurstRate {
  /** Max events at once, after a silence. */
  readonly burst: number;
  /** Milliseconds after which one more may happen. */
  readonly everyMs: number;
}

/** Limits events by a token bucket, and counts those that it suppresses. */
export class BurstLimit {
  readonly #rate: BurstRate;
  readonly #clock: () => number;
  #allowed: number;
  #at: number;
  #suppressed = 0;

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number, rate: BurstRate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#allowed = rate.burst;
    this.#at = clock();
  }

  /** Counts an event; returns how many this one stands for, with those suppressed before it, or 0 to suppress it. */
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
