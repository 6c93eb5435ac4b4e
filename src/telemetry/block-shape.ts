import type { Metric } from './metrics/metric.ts';

export type Labels = Readonly<Record<string, string>>;

/** One series of a block. */
interface Place {
  readonly metric: Metric;
  /** The labels beside those of the block's owner. */
  readonly labels: Labels;
  /** Number of slots between the first of the block and the first of the series. */
  readonly offset: number;
}

/** A metric, and the values of its labels beside those of the owner: a series for each combination. */
type Content = readonly [metric: Metric, values?: Readonly<Record<string, readonly string[]>>];

/** By metric: every metric is part of one shape. */
const SHAPES = new Map<Metric, BlockShape>();

/**
 * The series of one kind of owner, such as an endpoint, in consecutive slots of a stats page. All owners of a kind have the
 * same series. So a page is described by one place for each owner, and not by one for each of 30 series.
 */
export class BlockShape {
  readonly name: string;
  /** Names of the labels that tell the owners apart. */
  readonly owner: readonly string[];
  readonly places: readonly Place[];
  /** Number of slots. */
  readonly size: number;
  /** Offsets of the gauges. */
  readonly gauges: readonly number[];
  /** Ranges of offsets of all other series. */
  readonly counters: readonly (readonly [start: number, end: number])[];
  /** By metric and by the values of its labels beside the owner's. */
  readonly #offsets = new Map<Metric, Map<string, number>>();

  constructor(name: string, owner: readonly string[], contents: readonly Content[]) {
    this.name = name;
    this.owner = owner;
    const places: Place[] = [];
    let size = 0;
    for (const [metric, values = {}] of contents) {
      if (SHAPES.has(metric)) throw new RangeError(`${metric.name} is part of two shapes`);
      SHAPES.set(metric, this);
      for (const labels of combinationsOf(values)) {
        places.push({ metric, labels, offset: size });
        this.#file(metric, labels, size);
        size += slotCount(metric);
      }
    }
    this.places = places;
    this.size = size;
    this.gauges = places.filter(({ metric }) => metric.kind === 'gauge').map(({ offset }) => offset);
    this.counters = rangesBetween(this.gauges, size);
  }

  /** Returns the shape that a metric is part of. Throws a RangeError for a metric of no shape. */
  static of(metric: Metric): BlockShape {
    const shape = SHAPES.get(metric);
    if (shape === undefined) throw new RangeError(`${metric.name} is part of no shape`);
    return shape;
  }

  /** Returns the identity of an owner among the owners of all kinds. */
  keyOf(labels: Labels): string {
    let key = this.name;
    for (const label of this.owner) key += `\u0000${labels[label] ?? ''}`;
    return key;
  }

  /** Returns the offset of the first slot of a series; undefined for values of labels that no series has. */
  offsetOf(metric: Metric, labels: Labels = {}): number | undefined {
    return this.#offsets.get(metric)?.get(this.#innerKey(metric, labels));
  }

  /** Returns the offsets of the series of a metric by the values of one label. Throws a RangeError for an unknown series. */
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

  #file(metric: Metric, labels: Labels, offset: number): void {
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

/** Returns the number of slots of a series: a histogram has one for each bucket, one above the last, and one for the sum. */
export function slotCount({ buckets }: Metric): number {
  return buckets === undefined ? 1 : buckets.length + 2;
}

/** Lists the ranges of numbers below `end` that are not among the given ones. */
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
