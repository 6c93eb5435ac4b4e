import { ExemplarStore } from '../../src/telemetry/exposition/exemplar-store.ts';
import { Exposition } from '../../src/telemetry/exposition/exposition.ts';
import { pageFamilies } from '../../src/telemetry/exposition/page-families.ts';
import { slotCount } from '../../src/telemetry/block-shape.ts';
import { pageMetrics } from '../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../src/telemetry/metrics/page-shapes.ts';
import { PageLayout } from '../../src/telemetry/page-layout.ts';
import { PageSums } from '../../src/telemetry/page-sums.ts';
import { StatsPage, allocatePage } from '../../src/telemetry/stats-page.ts';
import type { MicroCase } from './micro-case.ts';

const CLUSTERS = 20;
const WORKERS = 4;
/** A large configuration: one route per cluster, and 20 endpoints per cluster. */
const LARGE = { clusters: 50, endpoints: 20 } as const;

/** Counts in a worker's page, and scrapes the sums of all pages. */
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
  const exposition = new Exposition(pageFamilies(new PageSums(layout, buffers), new ExemplarStore()));
  return [
    { name: 'count in the stats page', run: () => (page.values[slot]! += 1) },
    { name: 'observe 200 us in a histogram', run: () => histogram.observe(0.0002) },
    { name: 'observe 3 s in a histogram', run: () => histogram.observe(3) },
    {
      name: 'find a series in the layout',
      run: () => layout.slot(pageMetrics.messages, { cluster: 'cluster-7', direction: 'upstream' }),
    },
    {
      name: `scrape ${layout.blocks.reduce((sum, { shape }) => sum + shape.series.length, 0)} series of ${WORKERS} workers`,
      run: async () => {
        const { pieces } = await exposition.begin('text', { endpoints: true });
        return [...pieces].join('');
      },
    },
    ...largeScrapes(),
  ];
}

/**
 * Scrapes a large configuration in both formats. Every series has a value, except sparse ones such as
 * failures. Compression is not included, because gzip runs on a zlib thread.
 */
function largeScrapes(): MicroCase[] {
  const layout = new PageLayout();
  for (const shape of [pageShapes.process, pageShapes.listener, pageShapes.l7Listener]) {
    layout.addBlock(shape, { listener: 'web' });
  }
  for (let index = 0; index < LARGE.clusters; index++) {
    const [cluster, route] = [`cluster-${index}`, `route-${index}`];
    const labels = { listener: 'web', cluster, route };
    for (const shape of [pageShapes.cluster, pageShapes.route, pageShapes.sessions, pageShapes.handshakes]) {
      layout.addBlock(shape, Object.fromEntries(shape.owner.map((name) => [name, labels[name as 'route']])));
    }
    for (let number = 0; number < LARGE.endpoints; number++) {
      layout.addBlock(pageShapes.endpoint, { cluster, endpoint: `10.0.${index}.${number}:8080` });
    }
  }
  const buffers = Array.from({ length: WORKERS }, () => allocatePage(layout));
  for (const buffer of buffers) {
    const values = new Float64Array(buffer);
    for (const { shape, slot } of layout.blocks) {
      for (const { metric, offset } of shape.series) {
        const isRare = metric.sparse === true;
        for (let at = 0; at < slotCount(metric) && !isRare; at++) {
          values[slot + offset + at] = ((slot + offset + at) * 7919) % 100_003;
        }
      }
    }
  }
  const exposition = new Exposition(pageFamilies(new PageSums(layout, buffers), new ExemplarStore()));
  return (['text', 'openMetrics'] as const).map((format) => ({
    name: `scrape 50 clusters x 20 endpoints of ${WORKERS} workers, ${format}`,
    run: async () => {
      const { pieces } = await exposition.begin(format, { endpoints: true });
      return [...pieces].join('');
    },
  }));
}
