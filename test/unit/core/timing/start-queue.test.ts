import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StartQueue } from '../../../../src/core/timing/start-queue.ts';

/** A queue whose loop turns when a test says so, and whose starts take a time. */
class Rig {
  readonly queue: StartQueue;
  readonly started: number[] = [];
  readonly #turns: (() => void)[] = [];
  #now = 0;

  constructor(max: number, startMs = 0) {
    this.queue = new StartQueue(max, { now: () => this.#now, nextTurn: (run) => void this.#turns.push(run) });
    this.add = (number) => {
      const work = {
        queuePlace: -1,
        start: (): void => {
          this.started.push(number);
          this.#now += startMs;
        },
      };
      this.queue.add(work);
      return work;
    };
  }

  readonly add: (number: number) => { queuePlace: number; start(): void };

  /** Runs what the queue has scheduled; returns the number of callbacks. */
  turn(): number {
    const due = this.#turns.splice(0);
    for (const run of due) run();
    return due.length;
  }
}

describe('a queue of work', () => {
  it('starts work in order, in a later turn, and at most the max at the same time', () => {
    const rig = new Rig(2);
    for (const number of [1, 2, 3, 4]) rig.add(number);
    assert.deepEqual(rig.started, []);
    rig.turn();
    assert.deepEqual(rig.started, [1, 2]);
    assert.equal(rig.turn(), 0, 'nothing is scheduled while no place is free');
    rig.queue.release();
    rig.turn();
    assert.deepEqual(rig.started, [1, 2, 3]);
    rig.queue.release();
    rig.queue.release();
    rig.turn();
    assert.deepEqual(rig.started, [1, 2, 3, 4]);
    assert.equal(rig.turn(), 0);
  });

  it('yields to the loop between slices of 2 ms', () => {
    const rig = new Rig(100, 0.5);
    for (let number = 0; number < 10; number++) rig.add(number);
    const counts: number[] = [];
    while (rig.turn() > 0) counts.push(rig.started.length);
    assert.deepEqual(counts, [4, 8, 10]);
  });

  it('does not start removed work, which uses no place', () => {
    const rig = new Rig(1);
    const [one] = [rig.add(1), rig.add(2)];
    assert.equal(rig.queue.remove(one), true);
    assert.equal(rig.queue.remove(one), false);
    rig.turn();
    assert.deepEqual(rig.started, [2]);
  });

  it('continues after work that throws, and frees its place', () => {
    const rig = new Rig(1);
    rig.queue.add({
      queuePlace: -1,
      start: () => {
        throw new Error('no start');
      },
    });
    rig.add(1);
    assert.throws(() => rig.turn(), /no start/);
    rig.turn();
    assert.deepEqual(rig.started, [1]);
  });

  it('starts work that is added twice only once', () => {
    const rig = new Rig(10);
    const one = rig.add(1);
    rig.queue.add(one);
    rig.turn();
    assert.deepEqual(rig.started, [1]);
  });

  it('keeps the order while it is never empty, and does not start removed work', () => {
    const rig = new Rig(1);
    const works: ReturnType<Rig['add']>[] = [];
    const expected: number[] = [];
    for (let number = 0; number < 10_000; number++) {
      works.push(rig.add(number));
      // The line grows by one piece of work in every three turns.
      if (number % 3 === 0) continue;
      rig.turn();
      rig.queue.release();
      if (number % 7 === 0 && rig.queue.remove(works[number - 1]!)) expected.push(number - 1);
    }
    while (rig.turn() > 0) rig.queue.release();
    const removed = new Set(expected);
    assert.ok(removed.size > 100);
    const kept = works.map((_, number) => number).filter((number) => !removed.has(number));
    assert.deepEqual(rig.started, kept);
  });
});
