import { ExemplarBook } from '../../src/telemetry/exposition/exemplar-book.ts';
import { Exposition } from '../../src/telemetry/exposition/exposition.ts';
import { pageFamilies } from '../../src/telemetry/exposition/page-families.ts';
import { pageMetrics } from '../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../src/telemetry/page-layout.ts';
import { PageSums } from '../../src/telemetry/page-sums.ts';
import { StatsPage, allocatePage } from '../../src/telemetry/stats-page.ts';
import type { MicroCase } from './micro-case.ts';

const CLUSTERS = 20;
const WORKERS = 4;

/** Counting in a worker's page, and the scrape that sums the pages. */
export default function cases(): MicroCase[] {
  const layout = new PageLayout();
  for (let index = 0; index < CLUSTERS; index++) {
    const cluster = `cluster-${index}`;
    layout.add(pageMetrics.messages, { cluster, direction: 'upstream' });
    layout.add(pageMetrics.messages, { cluster, direction: 'downstream' });
    layout.add(pageMetrics.endpointConnectDuration, { cluster });
  }
  const buffers = Array.from({ length: WORKERS }, () => allocatePage(layout));
  const page = new StatsPage(buffers[0]!, layout);
  const slot = page.slot(pageMetrics.messages, { cluster: 'cluster-7', direction: 'upstream' });
  const histogram = page.histogram(pageMetrics.endpointConnectDuration, { cluster: 'cluster-7' });
  const exposition = new Exposition(pageFamilies(new PageSums(layout, buffers), new ExemplarBook()));
  return [
    { name: 'count in the stats page', run: () => (page.values[slot]! += 1) },
    { name: 'observe 200 us in a histogram', run: () => histogram.observe(0.0002) },
    { name: 'observe 3 s in a histogram', run: () => histogram.observe(3) },
    {
      name: 'find a series in the layout',
      run: () => layout.slot(pageMetrics.messages, { cluster: 'cluster-7', direction: 'upstream' }),
    },
    {
      name: `scrape ${layout.blocks.reduce((sum, { shape }) => sum + shape.places.length, 0)} series of ${WORKERS} workers`,
      run: async () => {
        const { pieces } = await exposition.begin('text', { endpoints: true });
        return [...pieces].join('');
      },
    },
  ];
}
