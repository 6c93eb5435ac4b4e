import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResetLinger } from '../../../src/l4/reset-linger.ts';

describe('a reset to pass on', () => {
  it('does not wait if all bytes are acknowledged', () => {
    assert.equal(new ResetLinger(0).isOver(0, 0), true);
  });

  it('waits 5 seconds after the last acknowledged byte', () => {
    const linger = new ResetLinger(0);
    for (const [left, now, isOver] of [
      [1000, 0, false],
      [1000, 4900, false],
      [999, 4950, false],
      [999, 9900, false],
      [999, 9950, true],
    ] as const) {
      assert.equal(linger.isOver(left, now), isOver, `${left} bytes at ${now}`);
    }
  });

  it('waits at most 30 seconds while bytes trickle', () => {
    const linger = new ResetLinger(0);
    for (let now = 0; now < 30_000; now += 1000) assert.equal(linger.isOver(1_000_000 - now, now), false);
    assert.equal(linger.isOver(1, 30_000), true);
  });
});
