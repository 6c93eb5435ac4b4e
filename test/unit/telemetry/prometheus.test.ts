import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { pageMetrics, threadMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { primaryMetrics } from '../../../src/telemetry/metrics/primary-metrics.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { PageSums } from '../../../src/telemetry/page-sums.ts';
import { Exposition, pageFamilies, preferredFormat } from '../../../src/telemetry/prometheus.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import { parseExposition } from './exposition-parser.ts';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
/** The Accept header of Prometheus 2.53. */
const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
  'text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

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
    ...pageFamilies(new PageSums(layout, buffers)),
    { metric: primaryMetrics.configGeneration, read: () => [{ labels: {}, value: 1 }] },
    { metric: primaryMetrics.certificateNotAfter, read: () => [] },
  ]);
  return { layout, pages: buffers.map((buffer) => new StatsPage(buffer, layout)), exposition };
}

describe('the exposition', () => {
  for (const [name, format, type] of [
    ['text', 'text', TEXT],
    ['openmetrics', 'openMetrics', OPEN_METRICS],
  ] as const) {
    it(`in ${name} holds the sum over all workers`, async () => {
      const { pages, exposition } = twoPages();
      for (const [index, page] of pages.entries()) {
        page.values[page.slot(pageMetrics.connections, labels)] = 20 + index;
        page.values[page.slot(pageMetrics.connectionsActive, labels)] = 3;
        page.values[page.slot(threadMetrics.eventLoopLag, { worker: `l7-${index}` })] = 0.5 + index;
        for (const value of [0.0001, 0.3, 60])
          page.histogram(pageMetrics.handshakeDuration, handshake).observe(value);
      }
      const { contentType, body } = await exposition.render(format);
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

  it('shows series that are zero, and families that have none', async () => {
    const { exposition } = twoPages();
    const families = parseExposition((await exposition.render('text')).body, 'text');
    assert.deepEqual(families.get('sluice_connections_total')?.samples, [
      { name: 'sluice_connections_total', labels, value: 0 },
    ]);
    assert.deepEqual(families.get('sluice_tls_certificate_not_after_timestamp_seconds')?.samples, []);
  });

  it('leaves out histograms without an observation and sparse counters at zero, until something happens', async () => {
    const layout = new PageLayout();
    const failures = ['refused', 'timeout'].map((reason) => ({ cluster: 'chat', endpoint: 'a:1', reason }));
    for (const labels of failures) layout.add(pageMetrics.endpointConnectFailures, labels);
    layout.add(pageMetrics.handshakeDuration, handshake);
    const buffers = [allocatePage(layout), allocatePage(layout)];
    const sums = new PageSums(layout, buffers);
    const exposition = new Exposition(pageFamilies(sums));
    const samplesOf = async (name: string): Promise<readonly unknown[]> =>
      parseExposition((await exposition.render('text')).body, 'text').get(name)!.samples;
    const counter = 'sluice_endpoint_connect_failures_total';
    const histogram = 'sluice_ws_handshake_duration_seconds';
    assert.deepEqual([await samplesOf(counter), await samplesOf(histogram)], [[], []]);
    const page = new StatsPage(buffers[1]!, layout);
    page.values[page.slot(pageMetrics.endpointConnectFailures, failures[1]!)]! += 1;
    page.histogram(pageMetrics.handshakeDuration, handshake).observe(0);
    const one = { name: counter, labels: failures[1], value: 1 };
    assert.deepEqual(await samplesOf(counter), [one]);
    assert.equal((await samplesOf(histogram)).length, 19);
    // Its worker has gone: what has happened has happened.
    sums.remove(buffers[1]!, layout.blocks);
    assert.deepEqual(await samplesOf(counter), [one]);
    assert.equal((await samplesOf(histogram)).length, 19);
  });

  it('keeps the names of counters in one format when the other has been rendered', async () => {
    const { exposition } = twoPages();
    await exposition.render('openMetrics');
    const families = parseExposition((await exposition.render('text')).body, 'text');
    assert.equal(families.get('process_cpu_seconds_total')?.type, 'counter');
    assert.equal(families.get('sluice_connections_total')?.type, 'counter');
    const again = parseExposition((await exposition.render('openMetrics')).body, 'openmetrics');
    assert.equal(again.get('process_cpu_seconds')?.type, 'counter');
  });

  it('has the metrics of the process and of Node once, also with several renderers', async () => {
    twoPages();
    const families = parseExposition((await twoPages().exposition.render('text')).body, 'text');
    assert.equal(families.get('process_resident_memory_bytes')?.samples.length, 1);
    assert.equal(families.get('nodejs_eventloop_lag_seconds')?.samples.length, 1);
  });

  it('escapes what a label may hold', async () => {
    const metric: Metric = { name: 'odd', kind: 'gauge', help: 'Odd', labels: ['a'] };
    const value = 'quote " backslash \\ line\nend';
    const exposition = new Exposition([{ metric, read: () => [{ labels: { a: value }, value: 1 }] }]);
    const families = parseExposition((await exposition.render('text')).body, 'text');
    assert.equal(families.get('odd')?.samples[0]?.labels.a, value);
  });

  it('is in the format that the Accept header prefers', () => {
    const formats: readonly (readonly [string, string])[] = [
      ['', 'text'],
      ['*/*', 'text'],
      ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
      [PROMETHEUS, 'openMetrics'],
      ['Application/OpenMetrics-Text', 'openMetrics'],
      ['application/openmetrics-text;q=0', 'text'],
      ['application/openmetrics-text;q=0.2, text/plain;q=0.9', 'text'],
      ['application/openmetrics-text;q=nonsense', 'text'],
    ];
    for (const [accept, expected] of formats) {
      assert.equal(preferredFormat(accept), expected, accept);
    }
  });
});

describe('the metric names', () => {
  it('are fit for Prometheus', () => {
    const all: Metric[] = [pageMetrics, threadMetrics, primaryMetrics].flatMap((group) =>
      Object.values(group),
    );
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    for (const { name, kind, help, labels, buckets } of all) {
      assert.match(name, /^sluice_[a-z0-9]+(_[a-z0-9]+)*$/);
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      assert.doesNotMatch(name, /_(bucket|count|sum)$/);
      assert.match(help, /^[A-Z1][^"\n]+[^.]$/, name);
      for (const label of labels) assert.match(label, /^(?!le$)[a-z]+$/);
      assert.equal(buckets !== undefined, kind === 'histogram', name);
      assert.deepEqual(buckets, buckets && [...buckets].sort((a, b) => a - b), name);
    }
  });
});
