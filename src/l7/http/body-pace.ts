/** Time that a client has to send before its rate counts. */
export const BODY_GRACE_MS = 10_000;

/**
 * Judges whether a client sends its request's body fast enough: by its rate over the time so far, from
 * {@link BODY_GRACE_MS} on. Only time in which the proxy would take more counts, so that a client which waits for a slow
 * endpoint is never blamed. It has no clock and no timer: times are milliseconds on any monotonic clock.
 */
export class BodyPace {
  /** Bytes per second; 0 is no minimum. */
  readonly #minRate: number;
  /** Time that counts, up to {@link #since}. */
  #countedMs = 0;
  /** Since when time counts again; null while it does not. */
  #since: number | null;

  /** @param now when the request came; its time runs */
  constructor(minRate: number, now: number) {
    this.#minRate = minRate;
    this.#since = now;
  }

  /** The proxy takes nothing for now. */
  hold(now: number): void {
    if (this.#since === null) return;
    this.#countedMs += now - this.#since;
    this.#since = null;
  }

  /** The proxy takes what comes. */
  run(now: number): void {
    this.#since ??= now;
  }

  /**
   * Returns for how long the body is fast enough although nothing more comes: 0 if it is too slow already, Infinity while
   * its time does not run.
   *
   * @param received bytes of the body so far
   */
  timeLeft(now: number, received: number): number {
    if (this.#minRate === 0 || this.#since === null) return Infinity;
    const allowedMs = Math.max(BODY_GRACE_MS, (received * 1000) / this.#minRate);
    return Math.max(0, allowedMs - (this.#countedMs + now - this.#since));
  }
}
