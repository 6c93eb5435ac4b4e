import type { Metric } from './metrics/metric.ts';
import type { Labels } from './block-shape.ts';
import type { Block, SlotLookup } from './page-layout.ts';

/** Allocates shared memory for a number of slots. One worker is its only writer. */
export function allocatePage({ size }: { readonly size: number }): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, size) * Float64Array.BYTES_PER_ELEMENT);
}

/**
 * The statistics of one worker in shared memory: 64-bit floats, exact for counts up to 2^53. With a single
 * writer plain stores are enough: the primary never sees half of an aligned 8-byte store.
 */
export class StatsPage {
  /** Hot paths add to `values[slot]` directly. */
  readonly values: Float64Array;
  readonly #slots: SlotLookup;

  constructor(buffer: SharedArrayBuffer, slots: SlotLookup) {
    this.values = new Float64Array(buffer);
    this.#slots = slots;
  }

  /** Returns the first slot of a series. @throws RangeError for an unknown series */
  slot(metric: Metric, labels: Labels): number {
    return this.#slots.slot(metric, labels);
  }

  /** Returns a writer for a histogram's series. */
  histogram(metric: Metric, labels: Labels): Histogram {
    return new Histogram(this.values, this.slot(metric, labels), metric.buckets ?? []);
  }
}

/**
 * Sets every gauge of a page to 0 and keeps its counters, because another worker takes over the page of an
 * ended one.
 */
export function clearGauges(buffer: SharedArrayBuffer, all: Iterable<Block>): void {
  const values = new Float64Array(buffer);
  for (const { shape, slot } of all) {
    // Slots that were never written have no memory yet. A write would allocate it.
    for (const gauge of shape.gauges) if (values[slot + gauge] !== 0) values[slot + gauge] = 0;
  }
}

/** A histogram with fixed buckets inside a stats page. */
export class Histogram {
  readonly #values: Float64Array;
  readonly #slot: number;
  readonly #buckets: readonly number[];

  constructor(values: Float64Array, slot: number, buckets: readonly number[]) {
    this.#values = values;
    this.#slot = slot;
    this.#buckets = buckets;
  }

  /** Records one value, in the unit of the buckets. */
  observe(value: number): void {
    const buckets = this.#buckets;
    let index = 0;
    while (index < buckets.length && value > buckets[index]!) index++;
    this.#values[this.#slot + index]! += 1;
    this.#values[this.#slot + buckets.length + 1]! += value;
  }
}
