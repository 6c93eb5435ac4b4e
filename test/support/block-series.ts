/** The series in blocks of stats pages. */
import type { Labels } from '../../src/telemetry/block-shape.ts';
import type { Metric } from '../../src/telemetry/metrics/metric.ts';
import type { Block } from '../../src/telemetry/page-layout.ts';

interface Series {
  readonly metric: Metric;
  readonly labels: Labels;
  /** First slot. */
  readonly slot: number;
}

/** Lists every series of some blocks. */
export function seriesOf(blocks: readonly Block[]): Series[] {
  return blocks.flatMap(({ shape, labels, slot }) =>
    shape.series.map((place) => ({
      metric: place.metric,
      labels: { ...labels, ...place.labels },
      slot: slot + place.offset,
    })),
  );
}
