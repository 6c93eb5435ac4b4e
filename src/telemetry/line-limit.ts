interface LineRate {
  /** Max lines at once, after a silence. */
  readonly burst: number;
  /** Milliseconds after which one more may be written. */
  readonly everyMs: number;
}

const ONE_IN_10_SECONDS: LineRate = { burst: 1, everyMs: 10_000 };

/** Bounds how often one kind of log line is written: clients that can provoke it cannot fill the log. */
export class LineLimit {
  readonly #rate: LineRate;
  readonly #clock: () => number;
  #allowed: number;
  #at: number;
  #suppressed = 0;

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number = () => performance.now(), rate = ONE_IN_10_SECONDS) {
    this.#rate = rate;
    this.#clock = clock;
    this.#allowed = rate.burst;
    this.#at = clock();
  }

  /**
   * Asks to write a line.
   *
   * @returns the fields to add to it, which count the lines suppressed since the last; null to suppress this one too
   */
  take(): { readonly suppressed?: number } | null {
    const { burst, everyMs } = this.#rate;
    const now = this.#clock();
    this.#allowed = Math.min(burst, this.#allowed + (now - this.#at) / everyMs);
    this.#at = now;
    if (this.#allowed < 1) {
      this.#suppressed++;
      return null;
    }
    this.#allowed--;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed === 0 ? {} : { suppressed };
  }
}
