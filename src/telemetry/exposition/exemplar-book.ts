import { BlockShape, type Labels } from '../block-shape.ts';
import type { Metric } from '../metrics/metric.ts';

/** Max series of one histogram that have exemplars. The one that got an exemplar last stays longest. */
const MAX_SERIES = 1000;
/** A trace id as W3C writes it. */
const TRACE_ID = /^[0-9a-f]{32}$/;

/** An observation whose trace can be looked up. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  /** When it was observed, in milliseconds since 1970. */
  readonly at: number;
}

/** The exemplars of one series: the newest of each bucket, with the one above the last bound at the end. */
export type BucketExemplars = readonly (Exemplar | undefined)[];

/**
 * The exemplars of histograms (OpenMetrics 1.0.0, "Exemplars"): for each bucket the newest observation with a trace. The
 * primary writes them into `/metrics`. Traces come from the workers, apart from the counts.
 */
export class ExemplarBook {
  readonly #maxSeries: number;
  /** By metric and by `BlockShape.keyOf`; the series that got an exemplar last is the last. */
  readonly #series = new Map<Metric, Map<string, (Exemplar | undefined)[]>>();

  /** @param maxSeries max series of one histogram that have exemplars */
  constructor(maxSeries = MAX_SERIES) {
    this.#maxSeries = maxSeries;
  }

  /** Whether no series has an exemplar. */
  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  /**
   * Notes an observation. One that no line could have is ignored: a value that is no finite number, or something else than a
   * trace id.
   *
   * @param metric a histogram of the workers
   * @param labels all labels of the series
   * @param value in the unit of the metric
   * @param traceId 32 hexadecimal digits
   * @param at milliseconds since 1970
   */
  record(metric: Metric, labels: Labels, value: number, traceId: string, at: number): void {
    const { buckets } = metric;
    if (buckets === undefined || !Number.isFinite(value) || !TRACE_ID.test(traceId)) return;
    const all = this.#series.get(metric) ?? new Map<string, (Exemplar | undefined)[]>();
    this.#series.set(metric, all);
    const key = BlockShape.of(metric).keyOf(labels);
    const exemplars = all.get(key) ?? new Array<undefined>(buckets.length + 1).fill(undefined);
    all.delete(key);
    if (all.size >= this.#maxSeries) all.delete(all.keys().next().value!);
    all.set(key, exemplars);
    const above = buckets.findIndex((bound) => value <= bound);
    const bucket = above === -1 ? buckets.length : above;
    const known = exemplars[bucket];
    // Workers tell their traces in batches: an older one may come later.
    if (known === undefined || known.at <= at) exemplars[bucket] = { value, traceId, at };
  }

  /** Returns the exemplars of a series; undefined for none. @param key of its block, by `BlockShape.keyOf` */
  of(metric: Metric, key: string): BucketExemplars | undefined {
    return this.#series.get(metric)?.get(key);
  }

  /** Forgets the series whose blocks have gone. @param has whether a block is there, by `BlockShape.keyOf` */
  forgetUnless(has: (key: string) => boolean): void {
    for (const [metric, all] of this.#series) {
      for (const key of all.keys()) if (!has(key)) all.delete(key);
      if (all.size === 0) this.#series.delete(metric);
    }
  }
}
