import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplacementPolicy } from '../../../../../src/primary/workers/stuck/replacement-policy.ts';

/** The longest delay that backoff would choose. */
const longest = (): number => 1;

describe('the replacement of stuck workers', () => {
  it('starts at once the first time, for each worker', () => {
    const policy = new ReplacementPolicy(longest);
    assert.equal(policy.plan('l7-0', 0, 0, 4), 0);
    assert.equal(policy.plan('l7-1', 0, 1, 4), 0);
  });

  it('waits longer each time that a replacement sticks soon, up to a minute', () => {
    const policy = new ReplacementPolicy(longest);
    const delays: number[] = [];
    let now = 0;
    for (let times = 0; times < 8; times++) {
      const delay = policy.plan('l7-0', now, 0, 4)!;
      delays.push(delay);
      now += delay + 10_000;
    }
    assert.deepEqual(delays, [0, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('starts at once again after a replacement that lived for a minute', () => {
    const policy = new ReplacementPolicy(longest);
    policy.plan('l7-0', 0, 0, 4);
    assert.equal(policy.plan('l7-0', 10_000, 0, 4), 2000);
    // It started at 12,000.
    assert.equal(policy.plan('l7-0', 71_999, 0, 4), 4000);
    assert.equal(policy.plan('l7-0', 75_999 + 60_000, 0, 4), 0);
    assert.equal(policy.plan('l7-0', 75_999 + 70_000, 0, 4), 2000);
  });

  it('is refused while the max number of threads is left behind', () => {
    const policy = new ReplacementPolicy(longest);
    assert.equal(policy.plan('l7-0', 0, 1, 1), 0);
    assert.equal(policy.plan('l7-0', 0, 2, 1), null);
    assert.equal(policy.plan('l7-0', 0, 2, 2), null);
    assert.equal(policy.plan('l7-0', 0, 3, 2), null);
    assert.equal(policy.plan('l7-1', 0, 3, 4), 0);
    assert.equal(policy.plan('l7-2', 0, 4, 4), null);
  });
});
