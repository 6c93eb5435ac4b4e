import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacedWalks, type Walk } from '../../../../src/worker/tap/paced-walks.ts';

/** Walks on a clock that only their steps advance. */
class Rig {
  now = 0;
  readonly steps: string[] = [];
  readonly faults: unknown[] = [];
  readonly walks: PacedWalks;

  constructor() {
    const now = (): number => this.now;
    this.walks = new PacedWalks({ now, cpu: { now, maxErrorMs: 0 } }, (error) => this.faults.push(error));
  }

  /** Adds a walk. @param results of its steps; an error is thrown */
  add(name: string, results: readonly ('more' | 'full' | Error)[], msPerStep = 0.01): void {
    this.walks.add(this.#walk(name, results, msPerStep));
  }

  *#walk(name: string, results: readonly ('more' | 'full' | Error)[], msPerStep: number): Walk {
    for (const result of results) {
      this.steps.push(name);
      this.now += msPerStep;
      if (result instanceof Error) throw result;
      yield result;
    }
  }
}

describe('the walks of taps', () => {
  it('alternate until all have ended', () => {
    const rig = new Rig();
    rig.add('a', ['more', 'more']);
    rig.add('b', ['more']);
    assert.ok(rig.walks.continueUntil(Infinity));
    assert.deepEqual(rig.steps, ['a', 'b', 'a']);
    assert.ok(rig.walks.isEmpty);
  });

  it('stop at a time', () => {
    const rig = new Rig();
    rig.add(
      'a',
      Array.from({ length: 100 }, () => 'more' as const),
    );
    assert.ok(!rig.walks.continueUntil(0.055));
    assert.equal(rig.steps.length, 6);
  });

  it('wait for the next tick if they are full', () => {
    const rig = new Rig();
    rig.add('a', ['full', 'more']);
    assert.ok(rig.walks.continueUntil(Infinity));
    assert.ok(rig.walks.continueUntil(Infinity));
    assert.deepEqual(rig.steps, ['a']);
    assert.ok(!rig.walks.isEmpty);
    rig.walks.renew();
    rig.walks.continueUntil(Infinity);
    assert.deepEqual(rig.steps, ['a', 'a']);
    assert.ok(rig.walks.isEmpty);
  });

  it('have nothing more to do in a tick without CPU time', () => {
    const rig = new Rig();
    rig.add('a', ['more', 'more', 'more'], 5);
    assert.ok(rig.walks.continueUntil(Infinity));
    assert.equal(rig.steps.length, 1);
    rig.now += 1000;
    rig.walks.renew();
    rig.walks.continueUntil(Infinity);
    assert.equal(rig.steps.length, 2);
  });

  it('end alone with an exception', () => {
    const rig = new Rig();
    const fault = new Error('a fault');
    rig.add('a', [fault]);
    rig.add('b', ['more', 'more']);
    rig.walks.continueUntil(Infinity);
    assert.deepEqual(rig.faults, [fault]);
    assert.deepEqual(rig.steps, ['a', 'b', 'b']);
    assert.ok(rig.walks.isEmpty);
  });
});
