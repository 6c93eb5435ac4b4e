/**
 * A process's report to Redis about one bucket. All values are microseconds of refill time, which is the unit
 * of cost.
 */
export interface BucketClaim {
  /** Cost of the units taken since the last claim. */
  readonly cost: number;
  /** Time in which the units were taken. The bucket refilled during this time. */
  readonly over: number;
  /**
   * The level as the process knows it, in case Redis lost the bucket. Negative values say how long the bucket
   * has been full.
   */
  readonly known: number;
  /** Max level of the bucket after adding the cost. */
  readonly ceiling: number;
}

/**
 * Max debt: 4 times the bucket's depth, plus 10 seconds. If a clock is set back, the max debt bounds how long
 * clients are refused.
 */
const MAX_DEBT_BUCKETS = 4;
const MAX_DEBT_US = 10_000_000;
/** Tolerance: the local level is off by the time that a command takes to reach Redis. */
const SLACK_US = 100_000;
/** Max time of a claim. */
const MAX_OVER_US = 1_000_000;

/**
 * One process's view of a bucket that several processes share.
 *
 * Redis stores the bucket's level: the time until it would be full again (generic cell rate algorithm). Each
 * answer to a claim sets the level of the local bucket.
 *
 * Between two claims, processes do not see each other and may together take too much. The level then exceeds
 * the bucket's depth, and nobody takes anything until the debt is paid. So the mean rate is exact for any
 * distribution over the processes. No process is refused for what others might have taken.
 */
export class SharedBucket {
  /** Max level that Redis stores, in microseconds. */
  readonly maxLevel: number;
  readonly #depth: number;
  #level = 0;
  /** When the level was known, in monotonic milliseconds; null if the bucket in Redis is unknown. */
  #knownAt: number | null = null;
  #claimedAt: number | null = null;
  /** True after Redis was down, until it knows what was taken during that time. */
  #isMerging = false;

  /** @param depth level of an empty bucket, in microseconds */
  constructor(depth: number) {
    this.#depth = depth;
    this.maxLevel = Math.round(depth * MAX_DEBT_BUCKETS + MAX_DEBT_US);
  }

  /**
   * Creates a claim.
   *
   * @param cost cost of the units taken, in microseconds
   * @param ahead level of the local bucket, in microseconds
   * @param now monotonic milliseconds
   * @param periodMs usual time between two claims
   */
  claim(cost: number, ahead: number, now: number, periodMs: number): BucketClaim {
    const over = Math.min(now - (this.#claimedAt ?? now - periodMs), MAX_OVER_US / 1000) * 1000;
    this.#claimedAt = now;
    const known = this.#knownAt === null ? -MAX_OVER_US : this.#level - (now - this.#knownAt) * 1000;
    if (!this.#isMerging) {
      // More is impossible in this time, unless an earlier claim was lost.
      const possible = Math.min(cost, ahead + over + SLACK_US);
      return rounded({ cost: possible, over, known, ceiling: this.maxLevel });
    }
    // The bucket has partly refilled while Redis was down. The remaining cost can at most empty it.
    return rounded({ cost: Math.min(cost, ahead), over: 0, known, ceiling: this.#depth });
  }

  /**
   * Applies the level of an answer.
   *
   * @param sentAt monotonic milliseconds
   * @param receivedAt monotonic milliseconds
   * @returns the level that the local bucket should have had when the claim was sent
   */
  answer(level: number, sentAt: number, receivedAt: number): number {
    // Assume that the claim reached Redis halfway.
    const oneWayMs = (receivedAt - sentAt) / 2;
    this.#level = level;
    this.#knownAt = sentAt + oneWayMs;
    this.#isMerging = false;
    return Math.max(level + oneWayMs * 1000, 0);
  }

  /** Marks Redis as down. Units taken from now on are merged later. */
  markRedisDown(): void {
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
