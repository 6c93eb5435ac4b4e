import type { Config } from '../config/types/config.ts';
import type { ConfigProblem } from '../core/errors.ts';
import { countSeries } from '../protocol/series-count.ts';

/** Number of series above which a scrape is worth a warning: some 7 MB, and much of a small Prometheus. */
const MANY_SERIES = 100_000;

/** Returns a warning if a configuration makes more series in `/metrics` than most Prometheus servers are made for. */
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
