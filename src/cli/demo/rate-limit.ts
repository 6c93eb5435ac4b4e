/** Allows a limited number of events in any time window. */
export class RateLimit {
  readonly #windowMs: number;
  /** Ring of the times of the last allowed events. */
  readonly #times: number[];
  #oldest = 0;

  constructor(events: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#times = new Array<number>(events).fill(-Infinity);
  }

  /**
   * Counts an event unless it is refused.
   *
   * @param now monotonic milliseconds
   */
  allow(now: number): boolean {
    if (now - this.#times[this.#oldest]! < this.#windowMs) return false;
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
    return true;
  }
}
