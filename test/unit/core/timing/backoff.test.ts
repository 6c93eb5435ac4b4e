import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Backoff } from '../../../../src/core/timing/backoff.ts';

describe('backoff', () => {
  it('doubles up to its max', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 1000 }, () => 1);
    const delays = Array.from({ length: 6 }, () => backoff.next());
    assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
  });

  it('randomizes half of each delay', () => {
    const least = new Backoff({ firstMs: 100, maxMs: 1000 }, () => 0);
    assert.deepEqual([least.next(), least.next()], [50, 100]);
    const middle = new Backoff({ firstMs: 100, maxMs: 1000 }, () => 0.5);
    assert.deepEqual([middle.next(), middle.next()], [75, 150]);
  });

  it('starts again after a reset', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 1000 }, () => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    assert.equal(backoff.next(), 100);
  });

  it('stays within its bounds however often it fails', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(60_000), fc.nat(5000), (first, most, failures) => {
        const backoff = new Backoff({ firstMs: first, maxMs: most });
        let delay = backoff.next();
        for (let count = 0; count < failures; count++) delay = backoff.next();
        assert.ok(delay >= 0 && delay <= most, String(delay));
      }),
    );
  });

  it('is still a number after thousands of failures without a delay', () => {
    const backoff = new Backoff({ firstMs: 0, maxMs: 1000 });
    for (let count = 0; count < 5000; count++) assert.equal(backoff.next(), 0);
  });
});
