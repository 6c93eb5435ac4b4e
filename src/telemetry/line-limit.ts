import { BurstLimit, type BurstRate } from '../core/timing/burst-limit.ts';

/**
 * Rate limit of debug lines that clients can provoke: separate for each kind of line, listener and worker.
 */
export const CLIENT_LINES: BurstRate = { burst: 100, everyMs: 10 };
const ONE_IN_10_SECONDS: BurstRate = { burst: 1, everyMs: 10_000 };

/** Limits the rate of one kind of log line, so that clients cannot fill the log. */
export class LineLimit {
  readonly #limit: BurstLimit;

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number = () => performance.now(), rate = ONE_IN_10_SECONDS) {
    this.#limit = new BurstLimit(clock, rate);
  }

  /**
   * Requests permission to write a line.
   *
   * @returns fields to add, with the number of lines suppressed since the last one; null to suppress this
   * line
   */
  take(): { readonly suppressed?: number } | null {
    const count = this.#limit.take();
    if (count === 0) return null;
    return count === 1 ? {} : { suppressed: count - 1 };
  }
}
