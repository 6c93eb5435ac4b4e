type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface Metric {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without infinity. */
  readonly buckets?: readonly number[];
  /**
   * Whether a series appears only after its first count, like every histogram's. All other series are there from the start
   * with 0, so that `rate()` sees the first increase. Counters are sparse if their labels have too many values for each
   * cluster or endpoint: 1,000 endpoints had 9,000 series of failures, nearly all of them 0.
   */
  readonly sparse?: true;
}

export function counter(name: string, labels: readonly string[], help: string): Metric {
  return { name, kind: 'counter', help, labels };
}

export function sparseCounter(name: string, labels: readonly string[], help: string): Metric {
  return { name, kind: 'counter', help, labels, sparse: true };
}

export function gauge(name: string, labels: readonly string[], help: string): Metric {
  return { name, kind: 'gauge', help, labels };
}

export function histogram(
  name: string,
  labels: readonly string[],
  buckets: readonly number[],
  help: string,
): Metric {
  return { name, kind: 'histogram', help, labels, buckets };
}
