import type { Steps } from '../core/timing/steps.ts';
import type { Labels } from './block-shape.ts';
import type { Metric } from './metrics/metric.ts';
import type { Block, SlotLookup } from './page-layout.ts';

/** Finds series, and lists the blocks to show. */
interface ShownSeries extends SlotLookup {
  /** Changes whenever the blocks to show do. */
  readonly version: number;
  /** Lists the blocks to show, each once. */
  listVisible(): Steps<readonly Block[]>;
}

/**
 * Reads the stats pages of all workers as one: each slot is the sum over all pages. Counts of a removed page
 * stay, so no counter decreases.
 */
export class PageSums {
  readonly series: ShownSeries;
  readonly #pages: Float64Array[];
  /** Counts of removed pages. */
  #past: Float64Array | null = null;

  constructor(series: ShownSeries, pages: readonly SharedArrayBuffer[]) {
    this.series = series;
    this.#pages = pages.map((page) => new Float64Array(page));
  }

  /** Returns the sum of one slot. */
  at(slot: number): number {
    let sum = this.#past?.[slot] ?? 0;
    for (const page of this.#pages) sum += page[slot]!;
    return sum;
  }

  /** Returns the value of a counter or gauge. @throws RangeError for an unknown series */
  value(metric: Metric, labels: Labels): number {
    return this.at(this.series.slot(metric, labels));
  }

  add(page: SharedArrayBuffer): void {
    this.#pages.push(new Float64Array(page));
  }

  /** Removes a page without a writer. Keeps its counts in these blocks. */
  remove(page: SharedArrayBuffer, all: Iterable<Block>): void {
    const index = this.#pages.findIndex(({ buffer }) => buffer === page);
    const [values] = this.#pages.splice(index, index === -1 ? 0 : 1);
    if (values === undefined) return;
    const past = (this.#past ??= new Float64Array(values.length));
    for (const { shape, slot } of all) {
      for (const [start, end] of shape.counters) {
        for (let at = slot + start; at < slot + end; at++) if (values[at] !== 0) past[at]! += values[at]!;
      }
    }
  }

  /**
   * Removes a page whose worker serves no clients but may still write to it. Its gauges no longer count.
   *
   * @returns a function to call after the worker has ended: it adds the counts since now
   */
  abandon(page: SharedArrayBuffer, all: Iterable<Block>): (all: Iterable<Block>) => void {
    const values = new Float64Array(page);
    const counted = new Map<Block, Float64Array>();
    for (const block of all) counted.set(block, values.slice(block.slot, block.slot + block.shape.size));
    this.remove(page, counted.keys());
    return (now) => {
      const past = (this.#past ??= new Float64Array(values.length));
      for (const block of now) {
        // Newer blocks may reuse slots of this page.
        const before = counted.get(block);
        if (before === undefined) continue;
        for (const [start, end] of block.shape.counters) {
          for (let at = start; at < end; at++) {
            const growth = values[block.slot + at]! - before[at]!;
            if (growth !== 0) past[block.slot + at]! += growth;
          }
        }
      }
    };
  }

  /** Resets a counter to 0. The workers' pages stay unchanged. */
  restart(slot: number): void {
    const counted = this.at(slot);
    if (counted === 0) return;
    this.#past ??= new Float64Array(this.#pages[0]!.length);
    this.#past[slot]! -= counted;
  }

  /** Sets slots to 0 before they are reassigned. */
  clear(start: number, end: number): void {
    this.#past?.fill(0, start, end);
    for (const page of this.#pages) page.fill(0, start, end);
  }
}
