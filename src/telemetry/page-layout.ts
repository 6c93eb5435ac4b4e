import type { Metric } from './names.ts';

export type Labels = Readonly<Record<string, string>>;

/** One time series and where it lies in a page: one slot, or for a histogram buckets + 2 slots. */
export interface Series {
  readonly metric: Metric;
  readonly labels: Labels;
  readonly slot: number;
}

/**
 * Which slot of a stats page belongs to which time series. Primary and workers build it from the same
 * configuration by the same steps, so that the same slot means the same thing in every thread.
 *
 * A histogram takes one slot a bucket, then one for what is above the last, then one for the sum.
 */
export class PageLayout {
  readonly series: Series[] = [];
  /** Slots in use. */
  size = 0;
  readonly #slots = new Map<string, number>();

  /** Adds a series, or finds it where it has been added before, and returns its first slot. */
  add(metric: Metric, labels: Labels): number {
    const key = keyOf(metric, labels);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.size;
    this.size += metric.buckets === undefined ? 1 : metric.buckets.length + 2;
    this.#slots.set(key, slot);
    this.series.push({ metric, labels, slot });
    return slot;
  }

  /** The first slot of a series; throws a RangeError for one that was never added. */
  slot(metric: Metric, labels: Labels): number {
    const slot = this.#slots.get(keyOf(metric, labels));
    if (slot === undefined) throw new RangeError(`no series ${keyOf(metric, labels)} in the stats page`);
    return slot;
  }
}

function keyOf(metric: Metric, labels: Labels): string {
  let key = metric.name;
  for (const label of metric.labels) key += `\u0000${labels[label] ?? ''}`;
  return key;
}
