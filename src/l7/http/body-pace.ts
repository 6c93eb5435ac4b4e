/** Time in which a client may send at any rate. */
export const BODY_GRACE_MS = 10_000;

/**
 * Checks whether a client sends its request's body fast enough. From {@link BODY_GRACE_MS} on, the average
 * rate counts. The clock stops while sluice itself accepts no more: a client that waits for a slow endpoint
 * is not too slow. Times are milliseconds on any monotonic clock, passed by the caller.
 */
export class BodyPace {
  /** Bytes per second, 0 for no minimum. */
  readonly #minRate: number;
  /** Milliseconds counted before {@link #since}. */
  #countedMs = 0;
  /** Time of the clock's last start, null while it is stopped. */
  #since: number | null;

  /** Starts the clock. @param now arrival time of the request */
  constructor(minRate: number, now: number) {
    this.#minRate = minRate;
    this.#since = now;
  }

  /** Stops the clock, because sluice accepts no more bytes for now. */
  hold(now: number): void {
    if (this.#since === null) return;
    this.#countedMs += now - this.#since;
    this.#since = null;
  }

  /** Restarts the clock, because sluice accepts more bytes. */
  run(now: number): void {
    this.#since ??= now;
  }

  /**
   * Returns how many milliseconds the body stays fast enough without further bytes. 0 if it is already too
   * slow, Infinity while the clock is stopped.
   *
   * @param received bytes of the body so far
   */
  timeLeft(now: number, received: number): number {
    if (this.#minRate === 0 || this.#since === null) return Infinity;
    const allowedMs = Math.max(BODY_GRACE_MS, (received * 1000) / this.#minRate);
    return Math.max(0, allowedMs - (this.#countedMs + now - this.#since));
  }
}
