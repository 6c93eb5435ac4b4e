import { BurstLimit, type BurstRate } from '../core/timing/burst-limit.ts';

/** Rate of debug lines that clients provoke. Each kind of line has a limit of its own in each listener and worker. */
export const CLIENT_LINES: BurstRate = { burst: 100, everyMs: 10 };
const ONE_IN_10_SECONDS: BurstRate = { burst: 1, everyMs: 10_000 };

/** Limits the rate of one kind of log line, so that clients that provoke it cannot fill the log. */
export class LineLimit {
  readonly #limit: BurstLimit;

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number = () => performance.now(), rate = ONE_IN_10_SECONDS) {
    this.#limit = new BurstLimit(clock, rate);
  }

  /**
   * Asks to write a line.
   *
   * @returns the fields to add, which count the lines suppressed since the last one; null to suppress this line
   */
  take(): { readonly suppressed?: number } | null {
    const count = this.#limit.take();
    if (count === 0) return null;
    return count === 1 ? {} : { suppressed: count - 1 };
  }
}
