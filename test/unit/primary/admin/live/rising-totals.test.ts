import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RisingTotals } from '../../../../../src/primary/admin/live/rising-totals.ts';

describe('a rising total', () => {
  it('goes on from where it was when a reload removes counts', () => {
    const totals = new RisingTotals();
    assert.deepEqual(
      [5, 8, 2, 3, 0].map((sum) => totals.add('messages', sum)),
      [5, 8, 8, 9, 9],
    );
  });

  it('does not mix sums of different names', () => {
    const totals = new RisingTotals();
    totals.add('messages', 5);
    assert.deepEqual([totals.add('bytes', 1), totals.add('messages', 6)], [1, 6]);
  });
});
