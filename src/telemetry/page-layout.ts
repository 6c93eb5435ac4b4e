import type { Metric } from './metrics/metric.ts';

export type Labels = Readonly<Record<string, string>>;

/** A time series. */
export interface SeriesName {
  readonly metric: Metric;
  readonly labels: Labels;
}

/** A time series and where it lies in a page: one slot, or for a histogram buckets + 2 slots. */
export interface Series extends SeriesName {
  readonly slot: number;
}

/** Where the series of a page are. */
export interface SlotLookup {
  /** The first slot of a series; throws a RangeError for one that is not there. */
  slot(metric: Metric, labels: Labels): number;
}

/** What of a layout crosses a thread: the first slot of each series, by its {@link seriesKey}. */
export type SlotTable = ReadonlyMap<string, number>;

/**
 * Which slot of a stats page belongs to which time series.
 *
 * A histogram takes one slot a bucket, then one for what is above the last, then one for the sum.
 */
export class PageLayout implements SlotLookup {
  readonly series: Series[] = [];
  /** Slots in use. */
  size = 0;
  readonly #slots = new Map<string, number>();

  /** Adds a series, or finds it where it has been added before, and returns its first slot. */
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

  /** As a directory of series that never changes. */
  get version(): number {
    return this.series.length;
  }

  visible(): readonly Series[] {
    return this.series;
  }
}

/** Finds a series in a table; throws a RangeError for one that is not there. */
export function findSlot(table: SlotTable, metric: Metric, labels: Labels): number {
  const key = seriesKey(metric, labels);
  const slot = table.get(key);
  if (slot === undefined) throw new RangeError(`no series ${key} in the stats page`);
  return slot;
}

/** What tells a series from all others: the values of its metric's labels. */
export function seriesKey(metric: Metric, labels: Labels): string {
  let key = metric.name;
  for (const label of metric.labels) key += `\u0000${labels[label] ?? ''}`;
  return key;
}

/** How many slots a series takes. */
export function slotCount({ buckets }: Metric): number {
  return buckets === undefined ? 1 : buckets.length + 2;
}
