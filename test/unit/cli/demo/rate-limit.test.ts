import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RateLimit } from '../../../../src/cli/demo/rate-limit.ts';

describe('a rate limit', () => {
  it('refuses events over the limit, and allows more after the oldest leaves the window', () => {
    const limit = new RateLimit(2, 1000);
    assert.deepEqual(
      [0, 400, 999, 1000, 1001, 1400].map((now) => limit.allow(now)),
      [true, true, false, true, false, true],
    );
  });

  it('never allows more than the limit in any window, and refuses nothing below it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }),
        (events, steps) => {
          const limit = new RateLimit(events, 1000);
          const allowed: number[] = [];
          let now = 0;
          for (const step of steps) {
            now += step;
            const inWindow = allowed.filter((time) => now - time < 1000).length;
            const allows = limit.allow(now);
            assert.equal(allows, inWindow < events);
            if (allows) allowed.push(now);
          }
        },
      ),
    );
  });
});
