import type { Metric } from '../metrics/metric.ts';
import type { FamilyText } from './family-text.ts';

/** One series and its value. */
export interface Sample {
  /** Name with its suffix; missing for the family's name. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric and its series, which are read at each scrape. A scrape gives the event loop turns while it reads. */
export interface Family {
  readonly metric: Metric;
  readonly read: () => Iterable<Sample>;
}

/** A metric that writes the lines of its series. */
export interface WrittenFamily {
  readonly metric: Metric;
  /** Yields lines, each with its newline: a few at a time, or none. */
  readonly write: (text: FamilyText) => Iterable<string>;
}
