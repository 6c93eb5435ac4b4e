interface LineLimitOptions {
  /** Lines that may be written at once, after a silence. */
  readonly burst: number;
  /** Milliseconds after which one more may be written. */
  readonly everyMs: number;
}

/** Bounds how often one kind of log line is written, so that nobody who can provoke it can fill the log. */
export class LineLimit {
  readonly #options: LineLimitOptions;
  readonly #clock: () => number;
  #allowed: number;
  #at: number;
  #suppressed = 0;

  /** @param clock milliseconds, monotonic */
  constructor(options: LineLimitOptions, clock: () => number = () => performance.now()) {
    this.#options = options;
    this.#clock = clock;
    this.#allowed = options.burst;
    this.#at = clock();
  }

  /**
   * Asks to write a line.
   *
   * @returns the fields to add to it, which count the lines suppressed since the last; null to suppress this one too
   */
  take(): { readonly suppressed?: number } | null {
    const { burst, everyMs } = this.#options;
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
