import type { Family } from '../../telemetry/exposition/family.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';
import type { TapService } from './tap-service.ts';

/** Returns the metrics of taps that the primary counts. */
export function tapFamilies(taps: Pick<TapService, 'active' | 'counts'>): Family[] {
  const { counts } = taps;
  return [
    { metric: primaryMetrics.tapsActive, read: () => [{ labels: {}, value: taps.active }] },
    {
      metric: primaryMetrics.taps,
      read: () => Array.from(counts.results, ([result, value]) => ({ labels: { result }, value })),
    },
    { metric: primaryMetrics.tapBytes, read: () => [{ labels: {}, value: counts.bytes }] },
    { metric: primaryMetrics.tapLinesDropped, read: () => [{ labels: {}, value: counts.droppedLines }] },
  ];
}
