/** The last value of a sum, and what reloads have taken from it. */
interface Total {
  last: number;
  lost: number;
}

/**
 * Keeps sums of counters from falling when a reload removes series together with their counts, so that readers can make rates
 * of any two values.
 */
export class RisingTotals {
  /** By name: there are as many as sums. */
  readonly #totals = new Map<string, Total>();

  /** Returns the sum, with what was lost of it before. @param name tells the sum from others */
  add(name: string, sum: number): number {
    const total = this.#totals.get(name) ?? { last: 0, lost: 0 };
    this.#totals.set(name, total);
    if (sum < total.last) total.lost += total.last - sum;
    total.last = sum;
    return sum + total.lost;
  }
}
