import type { Metric } from './metrics/metric.ts';

export type Labels = Readonly<Record<string, string>>;

/** One series of a block. */
interface BlockSeries {
  readonly metric: Metric;
  /** Labels besides those of the block's owner. */
  readonly labels: Labels;
  /** Offset of the series' first slot in the block. */
  readonly offset: number;
}

/** A metric, and the values of its labels besides the owner's: one series for each combination. */
type Content = readonly [metric: Metric, values?: Readonly<Record<string, readonly string[]>>];

/** By metric: each metric is part of one shape. */
const SHAPES = new Map<Metric, BlockShape>();

/**
 * The series of one kind of owner, such as an endpoint, in consecutive slots of a stats page. All owners of a
 * kind have the same series, so a page needs one entry per owner, not one per series (30 for an endpoint).
 */
export class BlockShape {
  readonly name: string;
  /** Names of the labels that distinguish the owners. */
  readonly owner: readonly string[];
  readonly series: readonly BlockSeries[];
  /** Number of slots. */
  readonly size: number;
  /** Offsets of the gauges. */
  readonly gauges: readonly number[];
  /** Ranges of offsets of all other series. */
  readonly counters: readonly (readonly [start: number, end: number])[];
  /** By metric, then by the values of its labels besides the owner's. */
  readonly #offsets = new Map<Metric, Map<string, number>>();

  constructor(name: string, owner: readonly string[], contents: readonly Content[]) {
    this.name = name;
    this.owner = owner;
    const places: BlockSeries[] = [];
    let size = 0;
    for (const [metric, values = {}] of contents) {
      if (SHAPES.has(metric)) throw new RangeError(`${metric.name} is part of two shapes`);
      SHAPES.set(metric, this);
      for (const labels of combinationsOf(values)) {
        places.push({ metric, labels, offset: size });
        this.#register(metric, labels, size);
        size += slotCount(metric);
      }
    }
    this.series = places;
    this.size = size;
    this.gauges = places.filter(({ metric }) => metric.kind === 'gauge').map(({ offset }) => offset);
    this.counters = rangesBetween(this.gauges, size);
  }

  /** Returns the shape of a metric. @throws RangeError for a metric without a shape */
  static of(metric: Metric): BlockShape {
    const shape = SHAPES.get(metric);
    if (shape === undefined) throw new RangeError(`${metric.name} is part of no shape`);
    return shape;
  }

  /** Returns a key that is unique among the owners of all kinds. */
  keyOf(labels: Labels): string {
    let key = this.name;
    for (const label of this.owner) key += `\u0000${labels[label] ?? ''}`;
    return key;
  }

  /** Returns the offset of a series' first slot. Undefined for label values without a series. */
  offsetOf(metric: Metric, labels: Labels = {}): number | undefined {
    return this.#offsets.get(metric)?.get(this.#innerKey(metric, labels));
  }

  /**
   * Returns the offsets of a metric's series, keyed by the values of one label.
   *
   * @throws RangeError for an unknown series
   */
  offsetsBy<Value extends string>(
    metric: Metric,
    label: string,
    values: readonly Value[],
    others: Labels = {},
  ): Readonly<Record<Value, number>> {
    const offsets = values.map((value) => {
      const offset = this.offsetOf(metric, { ...others, [label]: value });
      if (offset === undefined) throw new RangeError(`${metric.name} has no ${label} ${value}`);
      return [value, offset] as const;
    });
    return Object.fromEntries(offsets) as Record<Value, number>;
  }

  #register(metric: Metric, labels: Labels, offset: number): void {
    const known = this.#offsets.get(metric) ?? new Map<string, number>();
    this.#offsets.set(metric, known.set(this.#innerKey(metric, labels), offset));
  }

  #innerKey(metric: Metric, labels: Labels): string {
    let key = '';
    for (const label of metric.labels) {
      if (!this.owner.includes(label)) key += `\u0000${labels[label] ?? ''}`;
    }
    return key;
  }
}

/**
 * Returns the number of slots of a series. A histogram has one per bucket, one above the last bucket, and one
 * for the sum.
 */
export function slotCount({ buckets }: Metric): number {
  return buckets === undefined ? 1 : buckets.length + 2;
}

/** Lists the ranges below `end` between the given numbers. */
function rangesBetween(ascending: readonly number[], end: number): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  let start = 0;
  for (const gauge of [...ascending, end]) {
    if (gauge > start) ranges.push([start, gauge]);
    start = gauge + 1;
  }
  return ranges;
}

function combinationsOf(values: Readonly<Record<string, readonly string[]>>): Labels[] {
  let combinations: Labels[] = [{}];
  for (const [label, all] of Object.entries(values)) {
    combinations = combinations.flatMap((labels) => all.map((value) => ({ ...labels, [label]: value })));
  }
  return combinations;
}
