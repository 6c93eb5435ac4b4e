/** Allows so many events in any window of so many milliseconds. */
export class RateLimit {
  readonly #windowMs: number;
  /** When the last allowed events were, as a ring. */
  readonly #times: number[];
  #oldest = 0;

  constructor(events: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#times = new Array<number>(events).fill(-Infinity);
  }

  /** Counts an event at a time in milliseconds that never goes back; one that is refused does not count. */
  allow(now: number): boolean {
    if (now - this.#times[this.#oldest]! < this.#windowMs) return false;
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
    return true;
  }
}
