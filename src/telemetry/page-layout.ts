import type { Metric } from './metrics/metric.ts';

export type Labels = Readonly<Record<string, string>>;

/** A time series. */
export interface SeriesName {
  readonly metric: Metric;
  readonly labels: Labels;
}

/** A time series and its first slot in a page. It has one slot, or as a histogram buckets + 2 slots. */
export interface Series extends SeriesName {
  readonly slot: number;
}

/** The places of series in a page. */
export interface SlotLookup {
  /** Returns the first slot of a series. Throws a RangeError for an unknown series. */
  slot(metric: Metric, labels: Labels): number;
}

/** The form of a layout that crosses threads: the first slot of each series by its {@link seriesKey}. */
export type SlotTable = ReadonlyMap<string, number>;

/**
 * Assigns the slots of a stats page to time series. A histogram has a slot for each bucket, one for values above the last
 * bucket, and one for the sum.
 */
export class PageLayout implements SlotLookup {
  readonly series: Series[] = [];
  /** Number of used slots. */
  size = 0;
  readonly #slots = new Map<string, number>();

  /** Adds a series unless it exists. Returns its first slot. */
  add(metric: Metric, labels: Labels): number {
    const key = seriesKey(metric, labels);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.size;
    this.size += slotCount(metric);
    this.#slots.set(key, slot);
    this.series.push({ metric, labels, slot });
    return slot;
  }

  slot(metric: Metric, labels: Labels): number {
    return findSlot(this.#slots, metric, labels);
  }

  /** The number of series: a layout never changes once it is complete. */
  get version(): number {
    return this.series.length;
  }

  visible(): readonly Series[] {
    return this.series;
  }
}

/** Finds the first slot of a series in a table. Throws a RangeError for an unknown series. */
export function findSlot(table: SlotTable, metric: Metric, labels: Labels): number {
  const key = seriesKey(metric, labels);
  const slot = table.get(key);
  if (slot === undefined) throw new RangeError(`no series ${key} in the stats page`);
  return slot;
}

/** Returns the identity of a series: the name of its metric, and the values of its labels. */
export function seriesKey(metric: Metric, labels: Labels): string {
  let key = metric.name;
  for (const label of metric.labels) key += `\u0000${labels[label] ?? ''}`;
  return key;
}

/** Returns the number of slots of a series. */
export function slotCount({ buckets }: Metric): number {
  return buckets === undefined ? 1 : buckets.length + 2;
}
