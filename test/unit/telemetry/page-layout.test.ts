import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BlockShape, slotCount } from '../../../src/telemetry/block-shape.ts';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import { seriesOf } from '../../support/block-series.ts';

const pairs: Metric = { name: 'a_total', kind: 'counter', help: 'A', labels: ['x', 'y'] };
const open: Metric = { name: 'b', kind: 'gauge', help: 'B', labels: ['x'] };
const duration: Metric = {
  name: 'c_seconds',
  kind: 'histogram',
  help: 'C',
  labels: ['x'],
  buckets: [1, 2, 3],
};
const closes: Metric = { name: 'e_total', kind: 'counter', help: 'E', labels: ['x', 'side', 'code'] };
const whole: Metric = { name: 'd_seconds', kind: 'histogram', help: 'D', labels: [], buckets: [] };
const shapes = {
  pairs: new BlockShape('pairs', ['x', 'y'], [[pairs]]),
  owner: new BlockShape(
    'owner',
    ['x'],
    [[open], [duration], [closes, { side: ['client', 'endpoint'], code: ['1000', '1001', 'other'] }]],
  ),
  whole: new BlockShape('whole', [], [[whole]]),
};

const label = fc.constantFrom('', 'a', 'b', 'ab', 'a b', '1');
const additions = fc.array(
  fc.record({
    shape: fc.constantFrom(...Object.values(shapes)),
    labels: fc.record({ x: label, y: label }),
  }),
  { maxLength: 40 },
);

describe('the shape of a block', () => {
  it('has a place for each combination of labels, without gaps', () => {
    const { owner } = shapes;
    assert.equal(owner.size, 1 + 5 + 6);
    const places = owner.series.map(({ metric, labels, offset }) => [
      metric.name,
      Object.values(labels).join(),
      offset,
    ]);
    assert.deepEqual(places.slice(0, 4), [
      ['b', '', 0],
      ['c_seconds', '', 1],
      ['e_total', 'client,1000', 6],
      ['e_total', 'client,1001', 7],
    ]);
    assert.equal(owner.offsetOf(closes, { x: 'any', side: 'endpoint', code: 'other' }), 11);
    assert.equal(owner.offsetOf(closes, { side: 'endpoint', code: '1002' }), undefined);
    assert.equal(owner.offsetOf(pairs), undefined);
  });

  it('separates gauges from series that never decrease', () => {
    assert.deepEqual(shapes.owner.gauges, [0]);
    assert.deepEqual(shapes.owner.counters, [[1, 12]]);
    assert.deepEqual(shapes.pairs.counters, [[0, 1]]);
  });

  it('is the only shape of its metrics', () => {
    assert.equal(BlockShape.of(closes), shapes.owner);
    assert.throws(() => new BlockShape('again', ['x'], [[open]]), /b is part of two shapes/);
    assert.throws(() => BlockShape.of({ ...open }), RangeError);
  });

  it('distinguishes owners whose joined labels are equal', () => {
    const keys = [
      ['ab', ''],
      ['a', 'b'],
      ['', 'ab'],
    ].map(([x = '', y = '']) => shapes.pairs.keyOf({ x, y }));
    assert.equal(new Set(keys).size, 3);
    assert.notEqual(shapes.whole.keyOf({}), shapes.owner.keyOf({}));
  });
});

describe('a page layout', () => {
  it('gives every slot to exactly one series', () => {
    fc.assert(
      fc.property(additions, (steps) => {
        const layout = new PageLayout();
        for (const { shape, labels } of steps) layout.addBlock(shape, labels);
        const used = new Set<number>();
        for (const { metric, labels, slot } of seriesOf(layout.blocks)) {
          assert.equal(layout.slot(metric, labels), slot);
          for (let at = slot; at < slot + slotCount(metric); at++) {
            assert.ok(!used.has(at), `slot ${at} has two series`);
            used.add(at);
          }
        }
        assert.equal(used.size, layout.size);
        assert.equal(Math.max(-1, ...used), layout.size - 1);
      }),
    );
  });

  it('is the same wherever it is built in the same steps', () => {
    fc.assert(
      fc.property(additions, (steps) => {
        const [one, other] = [new PageLayout(), new PageLayout()];
        for (const layout of [one, other]) {
          for (const { shape, labels } of steps) layout.addBlock(shape, labels);
        }
        assert.deepEqual(one.blocks, other.blocks);
      }),
    );
  });

  it('contains each block once', () => {
    const layout = new PageLayout();
    const slot = layout.add(closes, { x: 'a', side: 'client', code: '1000' });
    assert.equal(layout.add(closes, { x: 'a', side: 'client', code: '1000' }), slot);
    assert.equal(layout.add(closes, { x: 'a', side: 'client', code: '1001' }), slot + 1);
    assert.deepEqual(layout.blocks, [{ shape: shapes.owner, labels: { x: 'a' }, slot: 0 }]);
  });

  it('ignores labels that the metric does not have', () => {
    const layout = new PageLayout();
    const slot = layout.add(open, { x: 'a' });
    assert.equal(layout.slot(open, { x: 'a', other: 'b' }), slot);
  });

  it('throws an error that names an unknown series', () => {
    const layout = new PageLayout();
    assert.throws(() => layout.slot(pairs, { x: 'a', y: 'b' }), { name: 'RangeError', message: /a_total/ });
    layout.addBlock(shapes.owner, { x: 'a' });
    assert.throws(() => layout.slot(closes, { x: 'a', side: 'nobody', code: '1000' }), /e_total .*nobody/);
  });

  it('gives a page with slots even if it is empty', () => {
    const layout = new PageLayout();
    assert.ok(new StatsPage(allocatePage(layout), layout).values.length > 0);
  });

  it('keeps histograms within their slots', () => {
    const layout = new PageLayout();
    const before = layout.add(open, { x: 'a' });
    const slot = layout.slot(duration, { x: 'a' });
    const after = layout.slot(closes, { x: 'a', side: 'client', code: '1000' });
    const page = new StatsPage(allocatePage(layout), layout);
    const histogram = page.histogram(duration, { x: 'a' });
    for (const value of [-1, 0, 1, 3, 3.5, Infinity, 1e300]) histogram.observe(value);
    assert.deepEqual([page.values[before], page.values[after]], [0, 0]);
    assert.deepEqual([...page.values.subarray(slot, slot + 4)], [3, 0, 1, 3]);
  });
});
