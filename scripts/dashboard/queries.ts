/** Helpers for queries. */
import type { PanelPlan, Query } from './panel.ts';

export const OF = 'job=~"$job",instance=~"$instance"';
export const CLUSTER = `${OF},cluster=~"$cluster"`;
export const LISTENER = `${OF},listener=~"$listener"`;

/** Creates a panel with one query. */
export function one(
  title: string,
  expr: string,
  legend: string,
  description: string,
  rest: Omit<PanelPlan, 'title' | 'queries' | 'description'>,
): PanelPlan {
  return { title, description, queries: [{ expr, legend }], ...rest };
}

/** Returns the query for the rate of a counter, summed by labels. */
export function rate(by: string, counter: string, labels: string): string {
  const sum = by === '' ? 'sum' : `sum by (${by})`;
  return `${sum} (rate(${counter}{${labels}}[$__rate_interval]))`;
}

/** Returns the queries of the median and the 99th percentile. */
export function quantiles(by: string, histogram: string, labels: string): Query[] {
  const legend = by
    .split(', ')
    .map((label) => `{{${label}}}`)
    .join(' ');
  return [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, ${rate(`${by}, le`, `${histogram}_bucket`, labels)})`,
    legend: `p${quantile * 100} ${legend}`,
  }));
}
