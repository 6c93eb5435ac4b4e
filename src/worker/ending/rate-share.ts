/** Divides rates that are meant for the whole process between its workers. */

/** The share of one pacer in a rate. */
export interface RateShare {
  /**
   * Returns a number from 0 to 1. The shares of all workers come to 1 at most.
   *
   * @param pending connections that the pacer has still to end
   */
  of(pending: number): number;
}

/** For a rate that is meant for one pacer alone. */
export const UNDIVIDED: RateShare = { of: () => 1 };

/**
 * Divides the rate of a drain by what each worker has of its scope.
 *
 * @param own values of this worker's stats page
 * @param pages values of all workers' pages
 * @param slots gauges that count the scope
 */
export function shareOfScope(
  own: Float64Array,
  pages: readonly Float64Array[],
  slots: readonly number[],
): RateShare {
  const count = (page: Float64Array): number => slots.reduce((sum, slot) => sum + page[slot]!, 0);
  // A scope that is gone has no gauges, and maybe connections.
  if (slots.length === 0) return { of: () => 1 / Math.max(1, pages.length) };
  return { of: () => shareOf(count(own), pages, count) };
}

/**
 * Connections that reloads, restarts and the end of the process have still to end here. A gauge in each worker's page
 * counts them, so whoever has more ends more, and a worker that is gone holds no share.
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

  /** The share of one more pacer, which counts in the backlog until it has nothing pending. */
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
