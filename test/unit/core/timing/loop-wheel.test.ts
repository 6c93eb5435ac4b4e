import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoopWheel, type LoopTimers } from '../../../../src/core/timing/loop-wheel.ts';
import { Timed } from '../../../../src/core/timing/timer-wheel.ts';

/** Timers that fire when a test moves their clock, and count how often one has fired. */
class FakeTimers implements LoopTimers<symbol> {
  fired = 0;
  readonly #due = new Map<symbol, { readonly at: number; readonly run: () => void }>();
  #now = 5000;

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, ms: number): symbol {
    const handle = Symbol('timer');
    this.#due.set(handle, { at: this.#now + ms, run });
    return handle;
  }

  clearTimeout(handle: symbol): void {
    this.#due.delete(handle);
  }

  get armed(): number {
    return this.#due.size;
  }

  pass(ms: number): void {
    for (const end = this.#now + ms; this.#now < end; this.#now++) {
      for (const [handle, { at, run }] of [...this.#due]) {
        if (at > this.#now) continue;
        this.#due.delete(handle);
        this.fired++;
        run();
      }
    }
  }
}

class Entry extends Timed {
  readonly expiries: number[] = [];
  readonly #timers: FakeTimers;
  readonly #then: () => void;

  constructor(timers: FakeTimers, then: (entry: Entry) => void = () => undefined) {
    super();
    this.#timers = timers;
    this.#then = () => then(this);
  }

  override expire(): void {
    this.expiries.push(this.#timers.now());
    this.#then();
  }
}

describe('deadlines in the loop of Node', () => {
  it('expire once, never early, and late by less than 25 ms', () => {
    for (const ms of [0, 1, 19, 20, 21, 1000, 20_480, 20_500, 70_000]) {
      for (const quietMs of [0, 7, 30_000]) {
        const timers = new FakeTimers();
        const wheel = new LoopWheel(timers);
        timers.pass(quietMs);
        const entry = new Entry(timers);
        wheel.arm(entry, ms);
        const armedAt = timers.now();
        timers.pass(ms + 100);
        assert.equal(entry.expiries.length, 1);
        const waited = entry.expiries[0]! - armedAt;
        assert.ok(waited >= ms && waited < ms + 25, `${waited} ms instead of ${ms} after ${quietMs}`);
      }
    }
  });

  it('share one timer, which sleeps until the next deadline and exists only with one', () => {
    const timers = new FakeTimers();
    const wheel = new LoopWheel(timers);
    assert.equal(timers.armed, 0);
    const entries = Array.from({ length: 100 }, () => new Entry(timers));
    for (const [index, entry] of entries.entries()) wheel.arm(entry, 5000 + (index % 2) * 5000);
    assert.equal(timers.armed, 1);
    timers.pass(20_000);
    assert.deepEqual([timers.fired, timers.armed], [2, 0]);
    assert.ok(entries.every(({ expiries }) => expiries.length === 1));
  });

  it('can precede the current wake-up, and can be disarmed', () => {
    const timers = new FakeTimers();
    const wheel = new LoopWheel(timers);
    const [late, soon, never] = [new Entry(timers), new Entry(timers), new Entry(timers)];
    wheel.arm(late, 8000);
    timers.pass(1000);
    wheel.arm(soon, 100);
    wheel.arm(never, 50);
    wheel.disarm(never);
    assert.equal(timers.armed, 1);
    timers.pass(150);
    assert.deepEqual([soon.expiries.length, late.expiries.length], [1, 0]);
    timers.pass(8000);
    assert.deepEqual([late.expiries.length, never.expiries.length], [1, 0]);
  });

  it('may be armed again whenever they expire', () => {
    const timers = new FakeTimers();
    const wheel = new LoopWheel(timers);
    const entry = new Entry(timers, (one) => wheel.arm(one, 1000));
    wheel.arm(entry, 1000);
    timers.pass(60_000);
    assert.ok(entry.expiries.length >= 58 && entry.expiries.length <= 60, String(entry.expiries.length));
  });

  it('continue when one of them throws', () => {
    const timers = new FakeTimers();
    const wheel = new LoopWheel(timers);
    const bad = new Entry(timers, () => {
      throw new Error('broken');
    });
    const good = new Entry(timers);
    wheel.arm(bad, 100);
    wheel.arm(good, 500);
    assert.throws(() => timers.pass(200), /broken/);
    timers.pass(500);
    assert.equal(good.expiries.length, 1);
  });
});
