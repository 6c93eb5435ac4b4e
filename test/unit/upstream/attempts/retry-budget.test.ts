import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryBudget } from '../../../../src/upstream/attempts/retry-budget.ts';

describe('a retry budget', () => {
  it('allows a share of the connections in the last ten seconds, and always a minimum', () => {
    let now = 0;
    const budget = new RetryBudget({ percent: 20, minPerSecond: 1 }, () => now);
    const take = (): number => {
      let count = 0;
      while (budget.withdraw()) count++;
      return count;
    };
    assert.equal(take(), 10);
    for (let count = 0; count < 1000; count++) budget.deposit();
    assert.equal(take(), 200);
    now = 9999;
    assert.equal(take(), 0);
    now = 10_000;
    assert.equal(take(), 10);
    now = 1_000_000;
    for (let count = 0; count < 50; count++) budget.deposit();
    assert.equal(take(), 20);
  });
});
