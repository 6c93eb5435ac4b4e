import { BlockShape, type Labels } from '../block-shape.ts';
import type { Metric } from '../metrics/metric.ts';

/** Max series with exemplars per histogram. The least recently updated series is evicted. */
const MAX_SERIES = 1000;
/** A W3C trace id. */
const TRACE_ID = /^[0-9a-f]{32}$/;

/** An observation with a trace id. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  /** Time of the observation, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * The exemplars of one series: the newest of each bucket. The last entry is for values above the last bound.
 */
export type BucketExemplars = readonly (Exemplar | undefined)[];

/**
 * The exemplars of histograms (OpenMetrics 1.0.0, "Exemplars"): the newest observation with a trace in each
 * bucket. The primary writes them into `/metrics`. Traces come from the workers separately from the counts.
 */
export class ExemplarStore {
  readonly #maxSeries: number;
  /** By metric, then by `BlockShape.keyOf`. The most recently updated series is last. */
  readonly #series = new Map<Metric, Map<string, (Exemplar | undefined)[]>>();

  /** @param maxSeries max series with exemplars per histogram */
  constructor(maxSeries = MAX_SERIES) {
    this.#maxSeries = maxSeries;
  }

  /** Whether no series has an exemplar. */
  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  /**
   * Records an observation. Ignores values that are not finite and malformed trace ids: no line could contain
   * them.
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
    // Workers send traces in batches, so an older one may arrive later.
    if (known === undefined || known.at <= at) exemplars[bucket] = { value, traceId, at };
  }

  /** Returns the exemplars of a series. Undefined without any. @param key the block's `BlockShape.keyOf` */
  of(metric: Metric, key: string): BucketExemplars | undefined {
    return this.#series.get(metric)?.get(key);
  }

  /** Removes series whose blocks are gone. @param has whether a block exists, by `BlockShape.keyOf` */
  forgetUnless(has: (key: string) => boolean): void {
    for (const [metric, all] of this.#series) {
      for (const key of all.keys()) if (!has(key)) all.delete(key);
      if (all.size === 0) this.#series.delete(metric);
    }
  }
}
