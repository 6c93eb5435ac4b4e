import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareRounds } from '../../../../bench/micro/compare.ts';
import { SUITE_NAMES, casesOf } from '../../../../bench/micro/suites.ts';

describe('the cases of bench:micro', () => {
  for (const suite of SUITE_NAMES) {
    it(`run, and have distinct names: ${suite}`, async () => {
      const cases = await casesOf(suite);
      assert.ok(cases.length > 0);
      assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
      for (const { run } of cases) await run();
    });
  }
});

describe('the comparison of two revisions', () => {
  it('compares medians', () => {
    const { before, after, ratio } = compareRounds({
      name: 'x',
      before: [10, 90, 20],
      after: [10, 8, 5, 99],
    });
    assert.deepEqual([before, after, ratio], [20, 9, 0.45]);
  });

  it('is clear if the rounds of the two revisions do not overlap', () => {
    const clear = (before: number[], after: number[]): boolean =>
      compareRounds({ name: 'x', before, after }).clear;
    assert.ok(clear([10, 11], [8, 9]));
    assert.ok(clear([10, 11], [12, 13]));
    assert.ok(!clear([10, 11], [9, 10]));
    assert.ok(!clear([10, 20], [12, 13]));
  });
});
