import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import {
  LatencyCounts,
  MAX_TICKS,
  TICKS_PER_MS,
  ticksAt,
} from '../../../../../bench/driver/measuring/latency-counts.ts';
import { Distribution } from '../../../../../bench/result/distribution.ts';

function library(): ReturnType<typeof build> {
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_TICKS,
    numberOfSignificantValueDigits: 3,
  });
}

const anyTicks = fc.oneof(
  fc.nat(4096),
  fc.nat(MAX_TICKS),
  fc
    .integer({ min: 0, max: 30 })
    .chain((bit) => fc.integer({ min: -1, max: 1 }).map((by) => Math.max(0, 2 ** bit + by))),
);

describe('latency counts', () => {
  it('have the same percentiles, mean and deviation as an HdrHistogram of the same values', () => {
    fc.assert(
      fc.property(fc.array(anyTicks, { minLength: 1, maxLength: 200 }), (values) => {
        const counts = new LatencyCounts();
        const expected = library();
        for (const ticks of values) {
          // Half a tick more, so that rounding in the division does not change the tick.
          counts.record((ticks + 0.5) / TICKS_PER_MS);
          expected.recordValue(ticks);
        }
        const actual = new Distribution([counts.counts]);
        assert.equal(actual.count, values.length);
        for (const percentile of [2.5, 50, 90, 97.5, 99, 99.9, 100]) {
          const wanted = expected.getValueAtPercentile(percentile) / TICKS_PER_MS;
          assert.equal(actual.percentile(percentile), wanted, `p${percentile}`);
        }
        assert.equal(actual.read({ kind: 'max' }), actual.percentile(100));
        assert.equal(actual.read({ kind: 'mean' }), expected.mean / TICKS_PER_MS);
        assert.equal(actual.read({ kind: 'deviation' }), expected.stdDeviation / TICKS_PER_MS);
      }),
      // The library takes milliseconds per run.
      { numRuns: 50 },
    );
  });

  it('are accurate to 0.1%', () => {
    fc.assert(
      fc.property(anyTicks, (ticks) => {
        const counts = new LatencyCounts();
        counts.record((ticks + 0.5) / TICKS_PER_MS);
        const low = ticksAt(counts.counts.indexOf(1));
        assert.ok(low <= ticks && ticks - low <= ticks / 1000, `${ticks} counts as ${low}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('clamp values outside the range', () => {
    const counts = new LatencyCounts();
    for (const ms of [-5, 0, 1e9, Infinity]) counts.record(ms);
    const distribution = new Distribution([counts.counts]);
    assert.equal(distribution.count, 4);
    assert.equal(distribution.percentile(50), 0);
    assert.ok(Math.abs(distribution.percentile(100) * TICKS_PER_MS - MAX_TICKS) <= MAX_TICKS / 1000);
  });

  it('merge threads by their counts, not by the mean of their percentiles', () => {
    const fast = new LatencyCounts();
    const slow = new LatencyCounts();
    for (let index = 0; index < 990; index++) fast.record(1);
    for (let index = 0; index < 10; index++) slow.record(1000);
    const merged = new Distribution([fast.counts, slow.counts]);
    assert.ok(Math.abs(merged.percentile(99) - 1) < 0.01);
    assert.ok(Math.abs(merged.percentile(99.5) - 1000) < 1);
    assert.equal(merged.count, 1000);
  });

  it('give 0 for all statistics without samples', () => {
    const none = new Distribution([new LatencyCounts().counts]);
    for (const kind of ['mean', 'min', 'max', 'deviation'] as const) assert.equal(none.read({ kind }), 0);
    assert.equal(none.percentile(99), 0);
  });
});
