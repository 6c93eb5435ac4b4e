import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slices } from '../../../../src/core/timing/slices.ts';

/** A loop whose turns the test gives, and a clock that it sets. */
class FakeLoop {
  now = 0;
  readonly waiting: (() => void)[] = [];
  readonly slices = new Slices(
    (callback) => this.waiting.push(callback),
    () => this.now,
  );

  turn(): void {
    for (const callback of this.waiting.splice(0)) callback();
  }
}

test('a slice is over after 2 ms', () => {
  const loop = new FakeLoop();
  assert.equal(loop.slices.isOver(), false);
  loop.now = 1.9;
  assert.equal(loop.slices.isOver(), false);
  loop.now = 2;
  assert.equal(loop.slices.isOver(), true);
});

test('the next slice begins in another turn of the loop, and lasts as long', async () => {
  const loop = new FakeLoop();
  loop.now = 2;
  let begun = false;
  const next = loop.slices.next().then(() => (begun = true));
  await Promise.resolve();
  assert.equal(begun, false);
  // The time that others take in between is not the slice's.
  loop.now = 50;
  loop.turn();
  await next;
  assert.equal(loop.slices.isOver(), false);
  loop.now = 52;
  assert.equal(loop.slices.isOver(), true);
});

test('cancelled work ends at the next border of slices', async () => {
  const loop = new FakeLoop();
  const next = loop.slices.next();
  loop.slices.cancel(new Error('no longer needed'));
  loop.turn();
  await assert.rejects(next, { message: 'no longer needed' });
});
