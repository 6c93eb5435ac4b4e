import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { monotonicNow } from '../../../../bench/driver/measuring/clock.ts';
import { Pacer, type Paced } from '../../../../bench/scenarios/pacer.ts';
import { eventually } from '../../../support/deadline.ts';

class Sender implements Paced {
  readonly due: number[] = [];
  early = 0;
  room = Infinity;

  sendDue(intended: number): boolean {
    if (this.room <= 0) return false;
    this.room--;
    if (monotonicNow() < intended) this.early++;
    this.due.push(intended);
    return true;
  }
}

function pacerOf(paced: Paced, intervalMs: number, phaseMs = 0): Pacer {
  return new Pacer({ intervalMs, phaseMs, paced, soon: setImmediate });
}

describe('the pacer', () => {
  it('sends every message of its timetable, and none early', async () => {
    const sender = new Sender();
    const pacer = pacerOf(sender, 5, 2);
    const start = monotonicNow() + 10;
    pacer.begin(start, start + 103);
    await eventually(() => assert.equal(sender.due.length, 21));
    assert.deepEqual(
      sender.due,
      Array.from({ length: 21 }, (_, index) => start + 2 + 5 * index),
    );
    assert.equal(sender.early, 0);
    assert.equal(pacer.backlog, 0);
  });

  it('sends messages delayed by a stall all at once, with their intended times', async () => {
    const sender = new Sender();
    const pacer = pacerOf(sender, 10);
    const start = monotonicNow();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 55);
    pacer.begin(start, start + 1000);
    // The event loop has not turned yet.
    assert.ok(sender.due.length >= 6);
    assert.equal(sender.due[1], start + 10);
    pacer.endAt(monotonicNow());
    await eventually(() => assert.equal(pacer.backlog, 0));
    pacer.giveUp(() => assert.fail('a message is left'));
  });

  it('keeps a backlog with its intended times while there is no room', async () => {
    const sender = new Sender();
    sender.room = 1;
    const pacer = pacerOf(sender, 1);
    const start = monotonicNow();
    pacer.begin(start, start + 50);
    await eventually(() => assert.equal(pacer.backlog, 49));
    assert.equal(sender.due.length, 1);
    sender.room = 9;
    pacer.poke();
    await eventually(() => assert.equal(pacer.backlog, 40));
    assert.equal(sender.due[9], start + 9);
    const unsent: number[] = [];
    pacer.giveUp((intended) => unsent.push(intended));
    assert.deepEqual(
      unsent,
      Array.from({ length: 40 }, (_, index) => start + 10 + index),
    );
    assert.equal(pacer.backlog, 0);
    sender.room = Infinity;
    pacer.poke();
    assert.equal(sender.due.length, 10);
  });
});
