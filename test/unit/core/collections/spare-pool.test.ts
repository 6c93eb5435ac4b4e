import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SparePool } from '../../../../src/core/collections/spare-pool.ts';

function poolOf(maxSpare: number): SparePool<number> {
  let created = 0;
  return new SparePool(maxSpare, () => ++created);
}

describe('spare pool', () => {
  it('creates objects while none is spare', () => {
    const pool = poolOf(2);
    assert.deepEqual([pool.take(), pool.take()], [1, 2]);
  });

  it('returns the most recently released object', () => {
    const pool = poolOf(2);
    assert.equal(pool.give(10), true);
    assert.equal(pool.give(20), true);
    assert.deepEqual([pool.take(), pool.take(), pool.take()], [20, 10, 1]);
  });

  it('refuses an object if it is full', () => {
    const pool = poolOf(1);
    assert.equal(pool.give(10), true);
    assert.equal(pool.give(20), false);
    assert.deepEqual([pool.take(), pool.take()], [10, 1]);
  });

  it('keeps nothing if it has no room', () => {
    const pool = poolOf(0);
    assert.equal(pool.give(10), false);
    assert.equal(pool.take(), 1);
  });
});
