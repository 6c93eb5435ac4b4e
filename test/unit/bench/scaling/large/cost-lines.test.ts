import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { costLine, seriesAround } from '../../../../../bench/scaling/large/cost-lines.ts';
import { USUAL_SIZES, type LargeSizes } from '../../../../../bench/scaling/large/sizes.ts';

describe('the series of configurations around a size', () => {
  it('vary one dimension each, and keep the total number of endpoints when clusters vary', () => {
    for (const { dimension, points } of seriesAround(USUAL_SIZES)) {
      const distinct = (of: (sizes: LargeSizes) => number): number =>
        new Set(points.map(({ sizes }) => of(sizes))).size;
      const varying = {
        worker: distinct(({ workers }) => workers),
        cluster: distinct(({ clusters }) => clusters),
        endpoint: distinct(({ clusters, endpoints }) => clusters * endpoints),
        route: distinct(({ routes }) => routes),
      };
      assert.deepEqual(varying, { worker: 1, cluster: 1, endpoint: 1, route: 1, [dimension]: 3 });
    }
  });
});

describe('the cost of one more part', () => {
  it('is the slope of the line through the medians of the rounds', () => {
    const series = seriesAround(USUAL_SIZES).find(({ dimension }) => dimension === 'worker')!;
    const rounds = series.points.map(({ count }) => [
      { readyMs: 0, readyCpuMs: 1000 + 100 * count, memory: 5e7 + 1.6e7 * count },
      { readyMs: 0, readyCpuMs: 1000 + 100 * count, memory: 5e7 + 1.6e7 * count },
      // An outlier does not change the median.
      { readyMs: 0, readyCpuMs: 9000, memory: 9e9 },
    ]);
    const line = costLine(series, rounds);
    assert.deepEqual(line.counts, [1, 2, 4]);
    assert.equal(Math.round(line.readyCpuMs), 100);
    assert.equal(Math.round(line.memory), 1.6e7);
  });
});
