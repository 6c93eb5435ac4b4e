/** The last value of a sum, and the amount that reloads have removed from it. */
interface Total {
  last: number;
  lost: number;
}

/**
 * Keeps sums of counters from falling when a reload removes series and their counts. Readers can thus compute
 * rates from any two values.
 */
export class RisingTotals {
  /** By name. The number of names is fixed. */
  readonly #totals = new Map<string, Total>();

  /** Returns the sum plus the amount lost before. @param name identifies the sum */
  add(name: string, sum: number): number {
    const total = this.#totals.get(name) ?? { last: 0, lost: 0 };
    this.#totals.set(name, total);
    if (sum < total.last) total.lost += total.last - sum;
    total.last = sum;
    return sum + total.lost;
  }
}
