import type { Family } from '../../telemetry/exposition/family.ts';
import { TRACE_DROPS } from '../../telemetry/metrics/label-values.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';
import type { SpanService } from './span-service.ts';

/** Returns the metrics of span exports. */
export function tracingFamilies({ counts }: Pick<SpanService, 'counts'>): Family[] {
  return [
    {
      metric: primaryMetrics.spansExported,
      read: () => [{ labels: {}, value: counts.exported }],
    },
    {
      metric: primaryMetrics.spansDropped,
      read: () => TRACE_DROPS.map((reason) => ({ labels: { reason }, value: counts.dropped[reason] })),
    },
  ];
}
