import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentQuantiles } from '../../../../../src/primary/admin/live/recent-quantiles.ts';
import { repeatable } from '../../../../support/random.ts';

const BOUNDS = [1, 2, 4];
const counts = (...values: number[]): Float64Array => Float64Array.from(values);

describe('recent quantiles', () => {
  it('are missing for the first counts, and without observations', () => {
    const recent = new RecentQuantiles(BOUNDS);
    assert.equal(recent.note(counts(5, 5, 5, 5), 0), null);
    assert.equal(recent.note(counts(5, 5, 5, 5), 1000), null);
  });

  it('are linear within a bucket, and the last bound above all bounds', () => {
    const recent = new RecentQuantiles(BOUNDS);
    recent.note(counts(7, 0, 0, 0), 0);
    // Fifty in the first bucket, and fifty in the third.
    assert.deepEqual(recent.note(counts(57, 0, 50, 0), 1000), { count: 100, p50: 1, p99: 3.96 });
    const high = new RecentQuantiles(BOUNDS);
    high.note(counts(0, 0, 0, 0), 0);
    assert.deepEqual(high.note(counts(0, 0, 0, 3), 1000), { count: 3, p50: 4, p99: 4 });
  });

  it('forget observations older than ten seconds', () => {
    const recent = new RecentQuantiles(BOUNDS);
    recent.note(counts(0, 0, 0, 0), 0);
    for (let second = 1; second <= 10; second++) recent.note(counts(100, 0, 0, 0), second * 1000);
    assert.equal(recent.note(counts(100, 0, 0, 0), 11_000), null);
    assert.equal(recent.note(counts(100, 4, 0, 0), 12_000)?.count, 4);
  });

  it('start again when counts were removed, and after a pause', () => {
    const recent = new RecentQuantiles(BOUNDS);
    recent.note(counts(9, 0, 0, 0), 0);
    assert.equal(recent.note(counts(3, 5, 0, 0), 1000), null);
    assert.equal(recent.note(counts(3, 6, 0, 0), 2000)?.count, 1);
    assert.equal(recent.note(counts(3, 99, 0, 0), 20_000), null);
  });

  it(
    'lie between the exact quantile and the bounds of its bucket',
    repeatable((random) => {
      for (let round = 0; round < 200; round++) {
        const bounds = [1, 2, 5, 10, 20];
        const values = Array.from({ length: 1 + Math.floor(random() * 50) }, () => random() * 20);
        const grown = counts(0, 0, 0, 0, 0, 0);
        for (const value of values) grown[bounds.findIndex((bound) => value <= bound)]! += 1;
        const recent = new RecentQuantiles(bounds);
        recent.note(counts(0, 0, 0, 0, 0, 0), 0);
        const found = recent.note(grown, 1000)!;
        values.sort((one, other) => one - other);
        for (const [p, quantile] of [[0.5, found.p50] as const, [0.99, found.p99] as const]) {
          const exact = values[Math.ceil(p * values.length) - 1]!;
          const index = bounds.findIndex((bound) => exact <= bound);
          assert.ok(quantile <= bounds[index]! && quantile >= (bounds[index - 1] ?? 0), `${p}: ${quantile}`);
        }
      }
    }),
  );
});
