import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { doSteps, doStepsInSlices, type Steps } from '../../../../src/core/timing/steps.ts';

function* counting(upTo: number, seen: number[]): Steps<string> {
  for (let step = 1; step <= upTo; step++) {
    seen.push(step);
    yield;
  }
  return `after ${upTo}`;
}

describe('work in steps', () => {
  it('is done at once', () => {
    const seen: number[] = [];
    assert.equal(doSteps(counting(3, seen)), 'after 3');
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('is done in slices, with other work in between', async () => {
    const seen: number[] = [];
    const next = (): Promise<void> => {
      seen.push(0);
      return Promise.resolve();
    };
    const slices = { isOver: () => seen.filter((step) => step > 0).length % 2 === 0, next };
    assert.equal(await doStepsInSlices(counting(5, seen), slices), 'after 5');
    assert.deepEqual(seen, [1, 2, 0, 3, 4, 0, 5]);
  });

  it("rejects with a step's error, or when its slices are cancelled", async () => {
    function* failing(): Steps<never> {
      yield;
      throw new Error('no');
    }
    assert.throws(() => doSteps(failing()), /^Error: no$/);
    const slices = { isOver: () => true, next: () => Promise.resolve() };
    await assert.rejects(doStepsInSlices(failing(), slices), /^Error: no$/);
    const cancelled = { isOver: () => true, next: () => Promise.reject(new Error('cancelled')) };
    await assert.rejects(doStepsInSlices(counting(9, []), cancelled), /^Error: cancelled$/);
  });
});
