import type { Config } from '../config/types/config.ts';
import type { ConfigProblem } from '../core/errors.ts';
import { countSeries } from '../protocol/series-count.ts';

/**
 * Min series that cause a warning. A scrape of this size has about 7 MB and loads a small Prometheus heavily.
 */
const MANY_SERIES = 100_000;

/**
 * Returns a warning if a configuration produces more `/metrics` series than most Prometheus servers handle
 * well.
 */
export function warnOfSeries(config: Config): readonly ConfigProblem[] {
  const { endpoint, route, cluster, other } = countSeries(config);
  const { endpoints } = config.metrics;
  const shown = { endpoints: endpoints ? endpoint : 0, routes: route, clusters: cluster, others: other };
  const total = Object.values(shown).reduce((sum, count) => sum + count, 0);
  if (total <= MANY_SERIES) return [];
  const parts = Object.entries(shown)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${written(count)} of ${what}`);
  const remedy = endpoints
    ? `set metrics: { endpoints: false } for ${written(total - endpoint)}`
    : 'use fewer routes and clusters, or raise the sample_limit of Prometheus';
  const message = `/metrics will have up to ${written(total)} series (${parts.join(', ')}): ${remedy}`;
  return [{ place: 'metrics', message }];
}

function written(count: number): string {
  return count.toLocaleString('en-US');
}
