import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { topScores } from '../../../../../src/primary/admin/live/top-scores.ts';
import { repeatable } from '../../../../support/random.ts';

const top = (scores: number[], max: number): number[] => topScores(Float64Array.from(scores), max);

describe('the top scores', () => {
  it('are all elements if there are few', () => {
    assert.deepEqual(top([3, 1], 2), [0, 1]);
    assert.deepEqual(top([], 2), []);
  });

  it('are the highest ones, in their original order', () => {
    assert.deepEqual(top([1, 9, 2, 8, 3], 2), [1, 3]);
  });

  it('are the first ones among equals', () => {
    assert.deepEqual(top([5, 5, 5, 9, 5], 3), [0, 1, 3]);
    assert.deepEqual(top([0, 0, 0, 0], 2), [0, 1]);
  });

  it(
    'have the requested number for any scores',
    repeatable((random) => {
      for (let round = 0; round < 500; round++) {
        const scores = Array.from({ length: 30 }, () => Math.floor(random() * 8));
        const max = 1 + Math.floor(random() * 29);
        const chosen = top(scores, max);
        assert.equal(chosen.length, max);
        const least = Math.min(...chosen.map((index) => scores[index]!));
        const left = scores.filter((_, index) => !chosen.includes(index));
        assert.ok(left.every((score) => score <= least));
      }
    }),
  );
});
