import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { WorkerEvent } from '../../../../src/protocol/admin/events.ts';
import { EventBatch } from '../../../../src/worker/journal/event-batch.ts';

class World {
  readonly wheel = new TimerWheel(0);
  readonly posts: { readonly events: readonly WorkerEvent[]; readonly suppressed: number }[] = [];
  counted = 0;
  readonly batch = new EventBatch(
    this.wheel,
    (events, suppressed) => this.posts.push({ events, suppressed }),
    () => this.counted++,
  );
  #now = 0;

  tell(reason: string, times = 1): void {
    for (let time = 0; time < times; time++) {
      if (this.batch.take('handshake', reason)) this.batch.add({ at: 0, kind: 'handshake', reason });
    }
  }

  pass(ms: number): void {
    this.wheel.advance((this.#now += ms));
  }
}

describe('the events of a worker', () => {
  it('are posted together once per turn of the loop', async () => {
    const world = new World();
    world.tell('overload', 2);
    world.tell('access');
    assert.equal(world.posts.length, 0);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.deepEqual(
      world.posts.map(({ events, suppressed }) => [events.length, suppressed]),
      [[3, 0]],
    );
  });

  it('leave room for other reasons in a flood of one', () => {
    const world = new World();
    world.tell('overload', 1000);
    world.tell('access', 3);
    world.batch.flush();
    assert.deepEqual(
      world.posts.map(({ events, suppressed }) => [events.length, suppressed]),
      [[13, 990]],
    );
    assert.equal(world.counted, 990);
  });

  it('are limited over all reasons, and allowed again in the next second', () => {
    const world = new World();
    for (let reason = 0; reason < 50; reason++) world.tell(`reason ${reason}`, 10);
    world.batch.flush();
    assert.equal(world.posts[0]!.events.length, 100);
    world.pass(1000);
    world.tell('overload');
    world.batch.flush();
    assert.equal(world.posts.at(-1)!.events.length, 1);
  });

  it('report suppressed ones at the end of the second without another event', () => {
    const world = new World();
    world.tell('overload', 10);
    world.batch.flush();
    world.tell('overload', 5);
    world.pass(500);
    assert.equal(world.posts.length, 1);
    world.pass(600);
    assert.deepEqual(world.posts[1], { events: [], suppressed: 5 });
  });
});
