import type { Family } from '../../telemetry/exposition/family.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';
import type { TapDesk } from './tap-desk.ts';

/** Returns the metrics of taps that the primary counts. */
export function tapFamilies(desk: Pick<TapDesk, 'active' | 'counts'>): Family[] {
  const { counts } = desk;
  return [
    { metric: primaryMetrics.tapsActive, read: () => [{ labels: {}, value: desk.active }] },
    {
      metric: primaryMetrics.taps,
      read: () => Array.from(counts.results, ([result, value]) => ({ labels: { result }, value })),
    },
    { metric: primaryMetrics.tapBytes, read: () => [{ labels: {}, value: counts.bytes }] },
    { metric: primaryMetrics.tapLinesDropped, read: () => [{ labels: {}, value: counts.droppedLines }] },
  ];
}
