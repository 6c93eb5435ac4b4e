import type { Metric } from '../metrics/metric.ts';
import type { FamilyText } from './family-text.ts';

/** One series and its value. */
export interface Sample {
  /** Name with its suffix. Omitted for the family's own name. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric whose series are read at each scrape. The event loop may run while a scrape reads. */
export interface Family {
  readonly metric: Metric;
  readonly read: () => Iterable<Sample>;
}

/** A metric that writes the lines of its series. */
export interface WrittenFamily {
  readonly metric: Metric;
  /** Yields lines with their newlines: a few at a time, or none. */
  readonly write: (text: FamilyText) => Iterable<string>;
}
