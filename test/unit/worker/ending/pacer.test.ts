import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TICK_MS, TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { Pacer } from '../../../../src/worker/ending/pacer.ts';
import type { PacedConnection } from '../../../../src/worker/live-connection.ts';

/** Connections on a separate clock. */
class World {
  readonly wheel = new TimerWheel(0);
  readonly living = new Set<Connection>();
  readonly ended: { readonly id: number; readonly at: number; readonly how: 'drain' | 'end' }[] = [];
  /** How often a connection has been told to live on. */
  undrained = 0;

  add(count: number, isReady: (at: number) => boolean = () => true): void {
    for (let id = 0; id < count; id++) {
      this.living.add(new Connection(this, this.living.size, isReady));
    }
  }

  readonly collect = (): readonly PacedConnection[] => [...this.living];

  run(ms: number): void {
    const end = this.wheel.now + ms;
    while (this.wheel.now < end) this.wheel.advance(Math.min(end, this.wheel.now + TICK_MS / 2));
  }

  within(from: number, to: number): number {
    return this.ended.filter(({ at }) => at >= from && at < to).length;
  }
}

class Connection implements PacedConnection {
  readonly #world: World;
  readonly #id: number;
  readonly #isReady: (at: number) => boolean;

  constructor(world: World, id: number, isReady: (at: number) => boolean) {
    this.#world = world;
    this.#id = id;
    this.#isReady = isReady;
  }

  drain(): boolean {
    if (!this.#world.living.has(this)) return false;
    if (!this.#isReady(this.#world.wheel.now)) return false;
    this.#finish('drain');
    return true;
  }

  undrain(): void {
    this.#world.undrained++;
  }

  end(): void {
    if (this.#world.living.has(this)) this.#finish('end');
  }

  #finish(how: 'drain' | 'end'): void {
    this.#world.living.delete(this);
    this.#world.ended.push({ id: this.#id, at: this.#world.wheel.now, how });
  }
}

const pace = { rate: 100, deadlineMs: 60_000, jitterMs: 0 };

describe('a pacer', () => {
  it('ends connections evenly at the rate, in random order', () => {
    const world = new World();
    world.add(1000);
    new Pacer(world.wheel, world.collect, pace, false);
    world.run(10_200);
    assert.equal(world.ended.length, 1000);
    for (let second = 1; second < 9; second++) {
      const count = world.within(second * 1000, (second + 1) * 1000);
      assert.ok(Math.abs(count - 100) <= 20, `${count} in second ${second}`);
    }
    const ids = world.ended.map(({ id }) => id);
    assert.notDeepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    assert.ok(world.ended.every(({ how }) => how === 'drain'));
  });

  it('delays each by a random time up to the jitter', () => {
    const world = new World();
    world.add(200);
    new Pacer(world.wheel, world.collect, { ...pace, rate: Infinity, jitterMs: 2000 }, false);
    world.run(1000);
    assert.ok(world.ended.length > 50 && world.ended.length < 150, `${world.ended.length} in the first half`);
    world.run(1200);
    assert.equal(world.ended.length, 200);
  });

  it('retries busy connections, and ends them at the deadline', () => {
    const world = new World();
    world.add(5, (at) => at >= 3000);
    world.add(5, () => false);
    const pacer = new Pacer(world.wheel, world.collect, { ...pace, deadlineMs: 5000 }, false);
    world.run(2900);
    assert.equal(world.ended.length, 0);
    world.run(400);
    assert.deepEqual(
      world.ended.map(({ how }) => how),
      new Array<string>(5).fill('drain'),
    );
    world.run(2000);
    assert.equal(world.ended.length, 10);
    assert.deepEqual(new Set(world.ended.slice(5).map(({ how }) => how)), new Set(['end']));
    assert.ok(pacer.isOver);
  });

  it('ends all connections at the deadline, and finishes', () => {
    const world = new World();
    world.add(500);
    const pending: number[] = [];
    const share = { of: (count: number) => (pending.push(count), 1) };
    const slow = { rate: 10, deadlineMs: 2000, jitterMs: 0 };
    const pacer = new Pacer(world.wheel, world.collect, slow, false, { share });
    world.run(2200);
    assert.equal(world.ended.length, 500);
    assert.ok(world.within(0, 1900) <= 20);
    assert.ok(pacer.isOver);
    assert.equal(pending.at(-1), 0);
  });

  it('does not exceed a low rate when connections arrive one by one', () => {
    const world = new World();
    new Pacer(world.wheel, world.collect, { ...pace, rate: 1 }, true, { random: () => 0 });
    for (let second = 0; second < 20; second++) {
      world.add(3);
      world.run(1000);
    }
    assert.ok(world.ended.length <= 20, `${world.ended.length}`);
    assert.ok(world.ended.length >= 18, `${world.ended.length}`);
  });

  it('ends later connections if it lasts, and otherwise finishes after the last one', () => {
    for (const lasting of [true, false]) {
      const world = new World();
      world.add(3);
      const pacer = new Pacer(world.wheel, world.collect, pace, lasting);
      world.run(500);
      assert.equal(world.ended.length, 3);
      assert.equal(pacer.isOver, !lasting);
      world.add(3);
      world.run(500);
      assert.equal(world.ended.length, lasting ? 6 : 3);
      pacer.cancel();
      assert.ok(pacer.isOver);
    }
  });

  it('ends nothing after its cancel, and no connection that ended on its own', () => {
    const world = new World();
    world.add(100);
    const pacer = new Pacer(world.wheel, world.collect, { ...pace, rate: 20 }, true);
    world.run(1000);
    const { length } = world.ended;
    assert.ok(length > 10 && length < 30);
    const [gone] = world.living;
    world.living.delete(gone!);
    pacer.cancel();
    world.run(60_000);
    assert.equal(world.ended.length, length);
  });

  it('undrains busy connections when it is cancelled', () => {
    const world = new World();
    world.add(4, () => false);
    const pacer = new Pacer(world.wheel, world.collect, { ...pace, rate: 2 }, true, { random: () => 0 });
    world.run(1100);
    pacer.cancel();
    assert.equal(world.undrained, 2);
  });
});
