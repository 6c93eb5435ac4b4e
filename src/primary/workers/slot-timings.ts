import type { BackoffLimits } from '../../core/timing/backoff.ts';

/** How long a worker may take, and how its restarts are spaced. */
export interface SlotTimings {
  /** From the start of a task to its `listening`, and for the answer to a `prepare`, in milliseconds. */
  readonly startMs: number;
  /**
   * The same for a worker whose failure to start ends the process, in milliseconds; more than {@link startMs}, after which
   * such a worker is only logged.
   */
  readonly firstStartMs: number;
  /** How long a worker must listen for earlier faults to no longer count, in milliseconds. */
  readonly steadyMs: number;
  readonly backoff: BackoffLimits;
}
