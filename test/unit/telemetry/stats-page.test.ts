import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlockShape } from '../../../src/telemetry/block-shape.ts';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { PageSums } from '../../../src/telemetry/page-sums.ts';
import { StatsPage, allocatePage, clearGauges } from '../../../src/telemetry/stats-page.ts';

const requests: Metric = { name: 'requests_total', kind: 'counter', help: 'Requests', labels: ['route'] };
const open: Metric = { name: 'open', kind: 'gauge', help: 'Open', labels: [] };
const duration: Metric = { name: 'duration', kind: 'histogram', help: 'Time', labels: [], buckets: [1, 5] };
new BlockShape('route', ['route'], [[requests]]);
new BlockShape('process', [], [[duration], [open]]);

function layout(): PageLayout {
  const made = new PageLayout();
  made.add(requests, { route: 'a' });
  made.add(duration, {});
  made.add(open, {});
  made.add(requests, { route: 'b' });
  return made;
}

describe('a page layout', () => {
  it('gives every series separate slots, and a histogram one per bucket plus two', () => {
    const made = layout();
    assert.equal(made.slot(requests, { route: 'a' }), 0);
    assert.equal(made.slot(duration, {}), 1);
    assert.equal(made.slot(open, {}), 5);
    assert.equal(made.slot(requests, { route: 'b' }), 6);
    assert.equal(made.size, 7);
  });

  it('finds an added series', () => {
    const made = layout();
    assert.equal(made.add(requests, { route: 'b' }), 6);
    assert.equal(made.size, 7);
    assert.equal(made.blocks.length, 3);
  });

  it('refuses a series that was never added', () => {
    assert.throws(() => layout().slot(requests, { route: 'c' }), RangeError);
  });
});

describe('a stats page', () => {
  it('counts a value in the first matching bucket, bounds included', () => {
    const made = layout();
    const page = new StatsPage(allocatePage(made), made);
    const histogram = page.histogram(duration, {});
    for (const value of [0.5, 1, 1.5, 5, 6]) histogram.observe(value);
    assert.deepEqual([...page.values.subarray(1, 5)], [2, 2, 1, 14]);
  });

  it('clears gauges and keeps counters and histograms', () => {
    const made = layout();
    const page = allocatePage(made);
    new StatsPage(page, made).values.fill(3);
    clearGauges(page, made.blocks);
    assert.deepEqual([...new Float64Array(page)], [3, 3, 3, 3, 3, 0, 3]);
  });

  it('is summed with all other pages', () => {
    const made = layout();
    const buffers = [allocatePage(made), allocatePage(made)];
    const sums = new PageSums(made, buffers);
    for (const buffer of buffers) new StatsPage(buffer, made).values[6] = 21;
    assert.equal(sums.value(requests, { route: 'b' }), 42);
    assert.equal(sums.value(requests, { route: 'a' }), 0);
    assert.throws(() => sums.value(open, { route: 'a' }) + sums.value(requests, {}), RangeError);
  });

  it("drops an abandoned page's gauges, and adds its worker's final counts once", () => {
    const made = layout();
    const [own, other] = [allocatePage(made), allocatePage(made)];
    const sums = new PageSums(made, [own, other]);
    const values = new Float64Array(own);
    const others = new Float64Array(other);
    values.fill(3);
    others.fill(10);
    const settle = sums.abandon(own, made.blocks);
    const all = (): number[] => Array.from({ length: made.size }, (_, slot) => sums.at(slot));
    assert.deepEqual(all(), [13, 13, 13, 13, 13, 10, 13]);
    values.fill(4);
    assert.deepEqual(all(), [13, 13, 13, 13, 13, 10, 13]);
    settle(made.blocks);
    assert.deepEqual(all(), [14, 14, 14, 14, 14, 10, 14]);
  });

  it('adds nothing from an abandoned page to series in reassigned slots', () => {
    const made = layout();
    const page = allocatePage(made);
    const sums = new PageSums(made, [page]);
    const values = new Float64Array(page);
    values.fill(3);
    const settle = sums.abandon(page, made.blocks);
    sums.clear(0, made.size);
    // The same series in the same slots, but of another generation.
    settle(layout().blocks);
    assert.equal(sums.at(0), 0);
  });
});
