/** The rate of a {@link BurstLimit}. */
export interface BurstRate {
  /** Max events in a row after a long silence. */
  readonly burst: number;
  /** Milliseconds after which one more event may happen. */
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

  /** Counts an event. Returns 0 to suppress it, else 1 plus the number of events suppressed since the last one. */
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
