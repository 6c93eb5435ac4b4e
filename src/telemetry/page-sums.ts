import type { Metric } from './names.ts';
import type { Labels, PageLayout } from './page-layout.ts';

/** Reads the stats pages of all workers as one: each slot is the sum of that slot over all pages. */
export class PageSums {
  readonly layout: PageLayout;
  readonly #pages: readonly Float64Array[];

  constructor(layout: PageLayout, pages: readonly SharedArrayBuffer[]) {
    this.layout = layout;
    this.#pages = pages.map((page) => new Float64Array(page));
  }

  /** The sum of one slot. */
  at(slot: number): number {
    let sum = 0;
    for (const page of this.#pages) sum += page[slot]!;
    return sum;
  }

  /** The value of a counter or gauge; throws a RangeError for a series that the layout does not have. */
  value(metric: Metric, labels: Labels): number {
    return this.at(this.layout.slot(metric, labels));
  }
}
