/** Divides the rates of the whole process among its workers. */

/** One pacer's share of a rate. */
export interface RateShare {
  /**
   * Returns the share, from 0 to 1. The shares of all workers add up to at most 1.
   *
   * @param pending connections that the pacer still has to end
   */
  of(pending: number): number;
}

/** The share of a pacer that does not divide its rate. */
export const UNDIVIDED: RateShare = { of: () => 1 };

/**
 * Divides the rate of a drain in proportion to each worker's connections in the drain's scope.
 *
 * @param own values of this worker's stats page
 * @param pages values of all workers' pages
 * @param slots gauges that count the scope's connections
 */
export function shareOfScope(
  own: Float64Array,
  pages: readonly Float64Array[],
  slots: readonly number[],
): RateShare {
  const count = (page: Float64Array): number => slots.reduce((sum, slot) => sum + page[slot]!, 0);
  // A removed scope has no gauges, but may still have connections.
  if (slots.length === 0) return { of: () => 1 / Math.max(1, pages.length) };
  return { of: () => shareOf(count(own), pages, count) };
}

/**
 * Counts the connections that this worker must still end for reloads, restarts and the shutdown. The count is
 * a gauge in each worker's page: workers with more connections end more, and a dead worker has no share.
 */
export class EndingBacklog {
  readonly #own: Float64Array;
  readonly #pages: readonly Float64Array[];
  readonly #slot: number;
  #total = 0;

  constructor(own: Float64Array, pages: readonly Float64Array[], slot: number) {
    this.#own = own;
    this.#pages = pages;
    this.#slot = slot;
  }

  /** Returns the share of another pacer. Its pending connections count in the backlog. */
  share(): RateShare {
    const slot = this.#slot;
    const count = (page: Float64Array): number => page[slot]!;
    let counted = 0;
    return {
      of: (pending) => {
        this.#total += pending - counted;
        counted = pending;
        this.#own[slot] = this.#total;
        return shareOf(pending, this.#pages, count);
      },
    };
  }
}

function shareOf(
  part: number,
  pages: readonly Float64Array[],
  count: (page: Float64Array) => number,
): number {
  if (part <= 0) return 0;
  let sum = 0;
  for (const page of pages) sum += count(page);
  // A worker that was given up is not among the pages.
  return part / Math.max(part, sum);
}
