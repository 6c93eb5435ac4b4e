import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TapBudget } from '../../../../src/worker/tap/tap-budget.ts';

class Thread {
  #now = 1000;
  #cpu = 50;
  readonly clock;

  /** @param maxErrorMs error bound to report */
  constructor(maxErrorMs = 0) {
    this.clock = { now: () => this.#now, cpu: { now: () => this.#cpu, maxErrorMs } };
  }

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

/** Lets a tick pass in which the thread has nothing to do. */
function tick(budget: TapBudget, thread: Thread): void {
  thread.wait(100);
  budget.measure();
}

describe('a budget of CPU time', () => {
  it('allows its budget in each tick without savings', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    for (let round = 0; round < 3; round++) {
      assert.ok(Math.abs(work(budget, thread, 0.1) - 41) <= 1);
      tick(budget, thread);
    }
  });

  it('refills continuously, so that a flood of work causes many short stops', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    work(budget, thread, 0.1);
    for (let step = 0; step < 10; step++) {
      thread.wait(10);
      const pieces = work(budget, thread, 0.1);
      assert.ok(pieces >= 3 && pieces <= 5, String(pieces));
    }
  });

  it('saves up unused time, to a limit', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 10, thread.clock);
    const spent = (): number => Math.round(work(budget, thread, 0.1) / 10.4);
    assert.equal(spent(), 40);
    for (let round = 0; round < 3; round++) tick(budget, thread);
    assert.equal(spent(), 12);
    for (let round = 0; round < 100; round++) tick(budget, thread);
    assert.equal(spent(), 40);
  });

  it('pays back an overdraft before other work starts', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    assert.equal(work(budget, thread, 11), 1);
    thread.wait(160);
    assert.ok(!budget.begin());
    thread.wait(20);
    assert.ok(budget.begin());
  });

  it('may be overdrawn for work that must not be skipped', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    work(budget, thread, 0.1);
    assert.ok(budget.begin(10));
    thread.work(12);
    assert.ok(budget.isOver(10));
    budget.end();
    assert.ok(!budget.begin(10));
    thread.wait(100);
    assert.ok(!budget.begin());
    assert.ok(budget.begin(10));
  });

  it('does not count time while other processes have the CPU', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    assert.ok(budget.begin());
    thread.work(1);
    thread.wait(500);
    assert.ok(!budget.isOver());
    thread.wait(500);
    budget.end();
    assert.ok(budget.begin());
  });

  it('is not refunded by a CPU clock that stands still between two timer interrupts', () => {
    const thread = new Thread(4);
    const budget = new TapBudget(4, 1, thread.clock);
    let spent = 0;
    for (; spent < 100 && budget.begin(); spent++) {
      thread.wait(1);
      budget.end();
    }
    assert.ok(spent <= 6, String(spent));
  });

  it('ends a piece of work that exhausts it', () => {
    const thread = new Thread();
    const budget = new TapBudget(4, 1, thread.clock);
    assert.ok(budget.begin());
    thread.work(3);
    assert.ok(!budget.isOver());
    thread.work(1.3);
    assert.ok(budget.isOver());
    budget.end();
    assert.ok(!budget.begin());
  });
});
