/** Time for which a client may send at any rate. */
export const BODY_GRACE_MS = 10_000;

/**
 * Judges whether a client sends its request's body fast enough: by its rate over the time so far, from
 * {@link BODY_GRACE_MS} on. Only time in which the proxy would take more counts: a client that waits for a slow endpoint is
 * not too slow. It has no clock and no timer: times are milliseconds on any monotonic clock.
 */
export class BodyPace {
  /** Bytes per second; 0 is no minimum. */
  readonly #minRate: number;
  /** Milliseconds that counted before {@link #since}. */
  #countedMs = 0;
  /** When the clock was started last; null while it is stopped. */
  #since: number | null;

  /** Starts the clock. @param now when the request came */
  constructor(minRate: number, now: number) {
    this.#minRate = minRate;
    this.#since = now;
  }

  /** Stops the clock: the proxy takes nothing for now. */
  hold(now: number): void {
    if (this.#since === null) return;
    this.#countedMs += now - this.#since;
    this.#since = null;
  }

  /** Starts the clock again: the proxy takes more. */
  run(now: number): void {
    this.#since ??= now;
  }

  /**
   * Returns how long the body stays fast enough if nothing more comes, in milliseconds: 0 if it is too slow already,
   * Infinity while the clock is stopped.
   *
   * @param received bytes of the body so far
   */
  timeLeft(now: number, received: number): number {
    if (this.#minRate === 0 || this.#since === null) return Infinity;
    const allowedMs = Math.max(BODY_GRACE_MS, (received * 1000) / this.#minRate);
    return Math.max(0, allowedMs - (this.#countedMs + now - this.#since));
  }
}
