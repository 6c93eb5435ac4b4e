/**
 * What a process tells Redis of one bucket, in whole microseconds of filling time, which is what units cost.
 */
export interface BucketClaim {
  /** Cost of the units that were taken since the last claim. */
  readonly cost: number;
  /** Time over which they were taken. The bucket has refilled meanwhile. */
  readonly over: number;
  /**
   * The level as the process knows it, in case Redis has lost it. Below 0: the bucket has been full for that
   * long.
   */
  readonly known: number;
  /** Max level to which the cost may raise the bucket. */
  readonly ceiling: number;
}

/**
 * Max debt: this many buckets, and ten seconds. It bounds how long a clock that was set back refuses clients.
 */
const MAX_DEBT_BUCKETS = 4;
const MAX_DEBT_US = 10_000_000;
/** Tolerance: the local level is wrong by the time that a command takes to Redis. */
const SLACK_US = 100_000;
/** Max time over which a claim is spread. */
const MAX_OVER_US = 1_000_000;

/**
 * One process's view of a bucket that several processes share.
 *
 * Redis has the bucket's level: the time until it would be full again (the generic cell rate algorithm).
 * After each claim the local bucket gets that level. Between two claims the processes don't see each other,
 * and may together take too much. That raises the level above the bucket's depth, and nobody takes anything
 * until it is paid back. So the mean is exact, whatever the processes' parts are, and nobody is refused
 * because of what others might have taken.
 */
export class SharedBucket {
  /** Max level that Redis keeps, in microseconds. */
  readonly maxLevel: number;
  readonly #depth: number;
  #level = 0;
  /** Monotonic milliseconds of the level; null if nothing is known of Redis' bucket. */
  #knownAt: number | null = null;
  #claimedAt: number | null = null;
  /** Whether Redis was away, and does not know yet what was taken meanwhile. */
  #isMerging = false;

  /** @param depth level of an empty bucket, in microseconds */
  constructor(depth: number) {
    this.#depth = depth;
    this.maxLevel = Math.round(depth * MAX_DEBT_BUCKETS + MAX_DEBT_US);
  }

  /**
   * Makes a claim.
   *
   * @param cost of what was taken, in microseconds
   * @param ahead level of the local bucket, in microseconds
   * @param now monotonic milliseconds
   * @param periodMs usual time between two claims
   */
  claim(cost: number, ahead: number, now: number, periodMs: number): BucketClaim {
    const over = Math.min(now - (this.#claimedAt ?? now - periodMs), MAX_OVER_US / 1000) * 1000;
    this.#claimedAt = now;
    const known = this.#knownAt === null ? -MAX_OVER_US : this.#level - (now - this.#knownAt) * 1000;
    if (!this.#isMerging) {
      // More cannot have been taken in this time, unless an earlier claim was lost.
      const possible = Math.min(cost, ahead + over + SLACK_US);
      return rounded({ cost: possible, over, known, ceiling: this.maxLevel });
    }
    // What was taken while Redis was away has been paid back in part. The rest makes the bucket empty at
    // most.
    return rounded({ cost: Math.min(cost, ahead), over: 0, known, ceiling: this.#depth });
  }

  /**
   * Takes the level of an answer.
   *
   * @param sentAt monotonic milliseconds, as {@link heardAt}
   * @returns the level that the local bucket should have had when the claim was sent
   */
  answer(level: number, sentAt: number, heardAt: number): number {
    // The claim is taken to have reached Redis in the middle.
    const underwayMs = (heardAt - sentAt) / 2;
    this.#level = level;
    this.#knownAt = sentAt + underwayMs;
    this.#isMerging = false;
    return Math.max(level + underwayMs * 1000, 0);
  }

  /** Notes that Redis is away: what is taken from now on is merged later. */
  lose(): void {
    this.#isMerging = true;
  }

  /** Whether the bucket is not full, as far as this process knows. */
  isUsed(now: number): boolean {
    return this.#knownAt !== null && this.#level > (now - this.#knownAt) * 1000;
  }
}

function rounded({ cost, over, known, ceiling }: BucketClaim): BucketClaim {
  return {
    cost: Math.round(cost),
    over: Math.round(over),
    known: Math.round(known),
    ceiling: Math.round(ceiling),
  };
}
