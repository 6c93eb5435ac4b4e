import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../../../src/telemetry/metrics/metric.ts';
import { pageMetrics, threadMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { primaryMetrics } from '../../../../src/telemetry/metrics/primary-metrics.ts';

describe('the metrics', () => {
  it('have unique names, and follow the conventions of Prometheus', () => {
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
