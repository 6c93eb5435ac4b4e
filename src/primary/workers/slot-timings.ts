import type { BackoffLimits } from '../../core/timing/backoff.ts';

/** Deadlines of a worker, and the backoff of its restarts. */
export interface SlotTimings {
  /** Max milliseconds from the start of a task to its `listening`, and for the answer to a `prepare`. */
  readonly startMs: number;
  /**
   * Max milliseconds to `listening` for a worker whose failure to start ends the process. Longer than {@link
   * startMs}: that deadline only logs the delay.
   */
  readonly firstStartMs: number;
  /** Milliseconds that a worker must listen before its earlier faults are forgotten. */
  readonly steadyMs: number;
  readonly backoff: BackoffLimits;
}
