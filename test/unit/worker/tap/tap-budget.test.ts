import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TapBudget } from '../../../../src/worker/tap/tap-budget.ts';

class Thread {
  #now = 1000;
  #cpu = 50;
  readonly clock = { now: () => this.#now, cpu: () => this.#cpu };

  work(ms: number): void {
    this.#now += ms;
    this.#cpu += ms;
  }

  /** Lets another process have the CPU. */
  wait(ms: number): void {
    this.#now += ms;
  }
}

/** Does pieces of work until the budget refuses one. Returns how many there were. */
function work(budget: TapBudget, thread: Thread, ms: number): number {
  let pieces = 0;
  for (; pieces < 1000 && budget.begin(); pieces++) {
    thread.work(ms);
    budget.end();
  }
  return pieces;
}

describe('a budget of CPU time', () => {
  it('allows so much in each tick when nothing is saved up', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    for (let tick = 0; tick < 3; tick++) {
      assert.equal(work(budget, thread, 1), 4);
      budget.renew();
    }
  });

  it('saves up what ticks leave, to a limit', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 10, thread.clock);
    assert.equal(work(budget, thread, 1), 40);
    budget.renew();
    assert.equal(work(budget, thread, 1), 4);
    for (let tick = 0; tick < 3; tick++) budget.renew();
    assert.equal(work(budget, thread, 1), 12);
    for (let tick = 0; tick < 100; tick++) budget.renew();
    assert.equal(work(budget, thread, 1), 40);
  });

  it('takes what a piece has used beyond it from the next ticks', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    assert.equal(work(budget, thread, 11), 1);
    const refused = Array.from({ length: 3 }, () => {
      budget.renew();
      return work(budget, thread, 0.5);
    });
    assert.deepEqual(refused, [0, 2, 8]);
  });

  it('does not count the time in which other processes have the CPU', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    assert.ok(budget.begin());
    thread.work(1);
    thread.wait(500);
    assert.ok(!budget.isOver());
    budget.end();
    assert.equal(work(budget, thread, 1), 3);
    budget.renew();
    assert.ok(budget.begin());
    thread.wait(500);
    budget.end();
    budget.renew();
    assert.equal(work(budget, thread, 1), 4);
  });

  it('ends a piece of work that has used it up', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    assert.ok(budget.begin());
    thread.work(3);
    assert.ok(!budget.isOver());
    thread.work(1);
    assert.ok(budget.isOver());
    budget.end();
    assert.ok(!budget.begin());
  });
});
