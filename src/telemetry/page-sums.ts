import type { Metric } from './metrics/metric.ts';
import { slotCount, type Labels, type Series, type SlotLookup } from './page-layout.ts';

/** What can tell where series are, and which of them to show. */
interface ShownSeries extends SlotLookup {
  /** Changes whenever {@link visible} does. */
  readonly version: number;
  visible(): readonly Series[];
}

/**
 * Reads the stats pages of all workers as one: each slot is the sum of that slot over all pages. What a worker
 * has counted stays when its page is taken away, so that no counter goes backwards.
 */
export class PageSums {
  readonly series: ShownSeries;
  readonly #pages: Float64Array[];
  /** What those workers had counted whose pages have been taken away. */
  #past: Float64Array | null = null;

  constructor(series: ShownSeries, pages: readonly SharedArrayBuffer[]) {
    this.series = series;
    this.#pages = pages.map((page) => new Float64Array(page));
  }

  /** The sum of one slot. */
  at(slot: number): number {
    let sum = this.#past?.[slot] ?? 0;
    for (const page of this.#pages) sum += page[slot]!;
    return sum;
  }

  /** The value of a counter or gauge; throws a RangeError for a series that is not there. */
  value(metric: Metric, labels: Labels): number {
    return this.at(this.series.slot(metric, labels));
  }

  add(page: SharedArrayBuffer): void {
    this.#pages.push(new Float64Array(page));
  }

  /** Takes a page away of which nobody is the writer any more; what it has counted in these series is kept. */
  remove(page: SharedArrayBuffer, all: Iterable<Series>): void {
    const index = this.#pages.findIndex(({ buffer }) => buffer === page);
    const [values] = this.#pages.splice(index, index === -1 ? 0 : 1);
    if (values === undefined) return;
    const past = (this.#past ??= new Float64Array(values.length));
    for (const { metric, slot } of all) {
      if (metric.kind === 'gauge') continue;
      for (let at = slot; at < slot + slotCount(metric); at++) past[at]! += values[at]!;
    }
  }

  /**
   * Takes a page away whose worker may still write it, but serves nobody any more: its gauges count no longer.
   *
   * @returns adds what the worker has counted since then, when it has ended
   */
  abandon(page: SharedArrayBuffer, all: Iterable<Series>): (all: Iterable<Series>) => void {
    const values = new Float64Array(page);
    const counted = new Map<Series, readonly number[]>();
    for (const series of all) {
      const { metric, slot } = series;
      if (metric.kind === 'gauge') continue;
      counted.set(series, Array.from(values.subarray(slot, slot + slotCount(metric))));
    }
    this.remove(page, counted.keys());
    return (now) => {
      const past = (this.#past ??= new Float64Array(values.length));
      for (const series of now) {
        // Others have been added since, maybe in slots of this page that had another meaning.
        for (const [index, before] of (counted.get(series) ?? []).entries()) {
          const at = series.slot + index;
          past[at]! += values[at]! - before;
        }
      }
    };
  }

  /** Lets a counter start at 0 again, although its workers' pages go on. */
  restart(slot: number): void {
    const counted = this.at(slot);
    if (counted === 0) return;
    this.#past ??= new Float64Array(this.#pages[0]!.length);
    this.#past[slot]! -= counted;
  }

  /** Sets slots to 0 that are about to get another meaning. */
  clear(start: number, end: number): void {
    this.#past?.fill(0, start, end);
    for (const page of this.#pages) page.fill(0, start, end);
  }
}
