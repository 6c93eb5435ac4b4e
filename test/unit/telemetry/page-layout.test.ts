import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';

const metrics: readonly Metric[] = [
  { name: 'a_total', kind: 'counter', help: 'A', labels: ['x', 'y'] },
  { name: 'b', kind: 'gauge', help: 'B', labels: ['x'] },
  { name: 'c_seconds', kind: 'histogram', help: 'C', labels: ['x'], buckets: [1, 2, 3] },
  { name: 'd_seconds', kind: 'histogram', help: 'D', labels: [], buckets: [] },
];

const label = fc.constantFrom('', 'a', 'b', 'ab', 'a b', '1');
const additions = fc.array(
  fc.record({ metric: fc.constantFrom(...metrics), labels: fc.record({ x: label, y: label }) }),
  { maxLength: 40 },
);

/** Returns a key that is unique for a series. */
function keyOf(metric: Metric, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([metric.name, ...metric.labels.map((name) => labels[name])]);
}

function widthOf({ buckets }: Metric): number {
  return buckets === undefined ? 1 : buckets.length + 2;
}

describe('a page layout', () => {
  it('gives no slot to two series, and leaves none out', () => {
    fc.assert(
      fc.property(additions, (steps) => {
        const layout = new PageLayout();
        const owners: string[] = [];
        for (const { metric, labels } of steps) {
          const slot = layout.add(metric, labels);
          const key = keyOf(metric, labels);
          for (let index = slot; index < slot + widthOf(metric); index++) {
            owners[index] ??= key;
            assert.equal(owners[index], key);
          }
        }
        assert.equal(layout.size, owners.length);
        assert.equal(Object.keys(owners).length, owners.length);
        assert.equal(layout.series.length, new Set(owners).size);
      }),
    );
  });

  it('is the same in every thread that builds it by the same steps', () => {
    fc.assert(
      fc.property(additions, (steps) => {
        const [one, other] = [new PageLayout(), new PageLayout()];
        for (const layout of [one, other]) for (const { metric, labels } of steps) layout.add(metric, labels);
        assert.deepEqual(one.series, other.series);
        for (const { metric, labels } of steps) {
          assert.equal(one.slot(metric, labels), other.slot(metric, labels));
        }
      }),
    );
  });

  it('tells label values apart wherever they are divided', () => {
    const layout = new PageLayout();
    const [metric] = metrics;
    const slots = [
      ['ab', ''],
      ['a', 'b'],
      ['', 'ab'],
    ].map(([x = '', y = '']) => layout.add(metric!, { x, y }));
    assert.equal(new Set(slots).size, 3);
  });

  it('keeps labels that the metric does not have out of the matter', () => {
    const layout = new PageLayout();
    const slot = layout.add(metrics[1]!, { x: 'a' });
    assert.equal(layout.slot(metrics[1]!, { x: 'a', other: 'b' }), slot);
  });

  it('names the series that it does not have', () => {
    assert.throws(() => new PageLayout().slot(metrics[0]!, { x: 'a', y: 'b' }), {
      name: 'RangeError',
      message: /a_total/,
    });
  });

  it('makes a page even if it is empty', () => {
    const layout = new PageLayout();
    assert.ok(new StatsPage(allocatePage(layout), layout).values.length > 0);
  });

  it('keeps histograms from writing beyond their slots', () => {
    const layout = new PageLayout();
    const before = layout.add(metrics[1]!, { x: 'before' });
    const slot = layout.add(metrics[2]!, { x: 'a' });
    const after = layout.add(metrics[1]!, { x: 'after' });
    const page = new StatsPage(allocatePage(layout), layout);
    const histogram = page.histogram(metrics[2]!, { x: 'a' });
    for (const value of [-1, 0, 1, 3, 3.5, Infinity, 1e300]) histogram.observe(value);
    assert.deepEqual([page.values[before], page.values[after]], [0, 0]);
    assert.deepEqual([...page.values.subarray(slot, slot + 4)], [3, 0, 1, 3]);
  });
});
