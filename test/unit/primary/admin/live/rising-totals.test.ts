import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RisingTotals } from '../../../../../src/primary/admin/live/rising-totals.ts';

describe('a rising total', () => {
  it('continues from its last value when a reload removes counts', () => {
    const totals = new RisingTotals();
    assert.deepEqual(
      [5, 8, 2, 3, 0].map((sum) => totals.add('messages', sum)),
      [5, 8, 8, 9, 9],
    );
  });

  it('keeps sums of different names apart', () => {
    const totals = new RisingTotals();
    totals.add('messages', 5);
    assert.deepEqual([totals.add('bytes', 1), totals.add('messages', 6)], [1, 6]);
  });
});
