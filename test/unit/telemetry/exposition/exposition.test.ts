import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Exposition } from '../../../../src/telemetry/exposition/exposition.ts';
import type { ExpositionFormat } from '../../../../src/telemetry/exposition/family-text.ts';
import { ExemplarStore } from '../../../../src/telemetry/exposition/exemplar-store.ts';
import { pageFamilies } from '../../../../src/telemetry/exposition/page-families.ts';
import type { Metric } from '../../../../src/telemetry/metrics/metric.ts';
import { pageMetrics, threadMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { primaryMetrics } from '../../../../src/telemetry/metrics/primary-metrics.ts';
import { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { PageSums } from '../../../../src/telemetry/page-sums.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import { parseExposition } from '../exposition-parser.ts';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

const labels = { listener: 'web' };
const handshake = { listener: 'web', cluster: 'chat' };

function twoPages(): { layout: PageLayout; pages: StatsPage[]; exposition: Exposition } {
  const layout = new PageLayout();
  for (const worker of ['l7-0', 'l7-1']) layout.add(threadMetrics.eventLoopLag, { worker });
  layout.add(pageMetrics.connections, labels);
  layout.add(pageMetrics.connectionsActive, labels);
  layout.add(pageMetrics.handshakeDuration, handshake);
  const buffers = [allocatePage(layout), allocatePage(layout)];
  const exposition = new Exposition([
    ...pageFamilies(new PageSums(layout, buffers), new ExemplarStore()),
    { metric: primaryMetrics.configGeneration, read: () => [{ labels: {}, value: 1 }] },
    { metric: primaryMetrics.certificateNotAfter, read: () => [] },
  ]);
  return { layout, pages: buffers.map((buffer) => new StatsPage(buffer, layout)), exposition };
}

/** Renders all pieces. */
async function render(
  exposition: Exposition,
  format: ExpositionFormat,
  endpoints = true,
): Promise<{ contentType: string; body: string }> {
  const { type, pieces } = await exposition.begin(format, { endpoints });
  return { contentType: type, body: [...pieces].join('') };
}

describe('the exposition', () => {
  for (const [name, format, type] of [
    ['text', 'text', TEXT],
    ['openmetrics', 'openMetrics', OPEN_METRICS],
  ] as const) {
    it(`sums the values of all workers (${name})`, async () => {
      const { pages, exposition } = twoPages();
      for (const [index, page] of pages.entries()) {
        page.values[page.slot(pageMetrics.connections, labels)] = 20 + index;
        page.values[page.slot(pageMetrics.connectionsActive, labels)] = 3;
        page.values[page.slot(threadMetrics.eventLoopLag, { worker: `l7-${index}` })] = 0.5 + index;
        for (const value of [0.0001, 0.3, 60])
          page.histogram(pageMetrics.handshakeDuration, handshake).observe(value);
      }
      const { contentType, body } = await render(exposition, format);
      assert.equal(contentType, type);
      const families = parseExposition(body, name);
      const bare = name === 'openmetrics';
      assert.deepEqual(families.get(bare ? 'sluice_connections' : 'sluice_connections_total')?.samples, [
        { name: 'sluice_connections_total', labels, value: 41 },
      ]);
      assert.deepEqual(families.get('sluice_connections_active')?.samples, [
        { name: 'sluice_connections_active', labels, value: 6 },
      ]);
      assert.deepEqual(
        families
          .get('sluice_worker_event_loop_lag_seconds')
          ?.samples.map(({ labels, value }) => [labels, value]),
        [
          [{ worker: 'l7-0' }, 0.5],
          [{ worker: 'l7-1' }, 1.5],
        ],
      );
      const histogram = families.get('sluice_ws_handshake_duration_seconds')?.samples ?? [];
      const bucket = (le: string): number | undefined =>
        histogram.find((sample) => sample.labels.le === le)?.value;
      assert.equal(bucket('0.0001'), 2);
      assert.equal(bucket('0.25'), 2);
      assert.equal(bucket('0.5'), 4);
      assert.equal(bucket(bare ? '10.0' : '10'), 4);
      assert.equal(bucket('+Inf'), 6);
      const sum = histogram.find(({ name }) => name.endsWith('_sum'));
      assert.deepEqual(sum?.labels, handshake);
      assert.ok(Math.abs(sum.value - 120.6002) < 1e-9);
    });
  }

  it('shows series at zero, and families without series', async () => {
    const { exposition } = twoPages();
    const families = parseExposition((await render(exposition, 'text')).body, 'text');
    assert.deepEqual(families.get('sluice_connections_total')?.samples, [
      { name: 'sluice_connections_total', labels, value: 0 },
    ]);
    assert.deepEqual(families.get('sluice_tls_certificate_not_after_timestamp_seconds')?.samples, []);
  });

  it('omits histograms without observations and sparse counters at zero', async () => {
    const layout = new PageLayout();
    const failures = ['refused', 'timeout'].map((reason) => ({ cluster: 'chat', endpoint: 'a:1', reason }));
    for (const labels of failures) layout.add(pageMetrics.endpointConnectFailures, labels);
    layout.add(pageMetrics.handshakeDuration, handshake);
    const buffers = [allocatePage(layout), allocatePage(layout)];
    const sums = new PageSums(layout, buffers);
    const exposition = new Exposition(pageFamilies(sums, new ExemplarStore()));
    const samplesOf = async (name: string): Promise<readonly unknown[]> =>
      parseExposition((await render(exposition, 'text')).body, 'text').get(name)!.samples;
    const counter = 'sluice_endpoint_connect_failures_total';
    const histogram = 'sluice_ws_handshake_duration_seconds';
    assert.deepEqual([await samplesOf(counter), await samplesOf(histogram)], [[], []]);
    const page = new StatsPage(buffers[1]!, layout);
    page.values[page.slot(pageMetrics.endpointConnectFailures, failures[1]!)]! += 1;
    page.histogram(pageMetrics.handshakeDuration, handshake).observe(0);
    const one = { name: counter, labels: failures[1], value: 1 };
    assert.deepEqual(await samplesOf(counter), [one]);
    assert.equal((await samplesOf(histogram)).length, 19);
    // Counts stay after their worker ended.
    sums.remove(buffers[1]!, layout.blocks);
    assert.deepEqual(await samplesOf(counter), [one]);
    assert.equal((await samplesOf(histogram)).length, 19);
  });

  it('names counters correctly in each format, even after rendering the other', async () => {
    const { exposition } = twoPages();
    await render(exposition, 'openMetrics');
    const families = parseExposition((await render(exposition, 'text')).body, 'text');
    assert.equal(families.get('process_cpu_seconds_total')?.type, 'counter');
    assert.equal(families.get('sluice_connections_total')?.type, 'counter');
    const again = parseExposition((await render(exposition, 'openMetrics')).body, 'openmetrics');
    assert.equal(again.get('process_cpu_seconds')?.type, 'counter');
  });

  it('has the metrics of the process and of Node once, even if there are several expositions', async () => {
    twoPages();
    const families = parseExposition((await render(twoPages().exposition, 'text')).body, 'text');
    assert.equal(families.get('process_resident_memory_bytes')?.samples.length, 1);
    assert.equal(families.get('nodejs_eventloop_lag_seconds')?.samples.length, 1);
  });

  it('escapes label values', async () => {
    const metric: Metric = { name: 'odd', kind: 'gauge', help: 'Odd', labels: ['a'] };
    const value = 'quote " backslash \\ line\nend';
    const exposition = new Exposition([{ metric, read: () => [{ labels: { a: value }, value: 1 }] }]);
    const families = parseExposition((await render(exposition, 'text')).body, 'text');
    assert.equal(families.get('odd')?.samples[0]?.labels.a, value);
  });

  it('omits the series of endpoints if asked to', async () => {
    const layout = new PageLayout();
    layout.add(pageMetrics.endpointDials, { cluster: 'chat', endpoint: 'a:1' });
    layout.add(pageMetrics.clusterRetries, { cluster: 'chat' });
    const up = { labels: { cluster: 'chat', endpoint: 'a:1' }, value: 1 };
    const exposition = new Exposition([
      ...pageFamilies(new PageSums(layout, [allocatePage(layout)]), new ExemplarStore()),
      { metric: primaryMetrics.endpointUp, read: () => [up] },
    ]);
    assert.match((await render(exposition, 'text')).body, /endpoint="a:1"/);
    const { body } = await render(exposition, 'text', false);
    const families = parseExposition(body, 'text');
    assert.doesNotMatch(body, /endpoint="/);
    assert.ok(!families.has('sluice_endpoint_up') && !families.has('sluice_endpoint_dials_total'));
    assert.equal(families.get('sluice_cluster_retries_total')?.samples.length, 1);
  });

  it('reads a family lazily, one series at a time', async () => {
    const read: number[] = [];
    const exposition = new Exposition([
      {
        metric: primaryMetrics.workerUp,
        *read() {
          for (let index = 0; index < 3; index++) {
            read.push(index);
            yield { labels: { worker: `l7-${index}` }, value: 1 };
          }
        },
      },
    ]);
    const { pieces } = await exposition.begin('text', { endpoints: true });
    const taken = pieces[Symbol.iterator]();
    taken.next();
    assert.deepEqual(read, []);
    assert.equal(taken.next().value, 'sluice_worker_up{worker="l7-0"} 1\n');
    assert.deepEqual(read, [0]);
  });
});
