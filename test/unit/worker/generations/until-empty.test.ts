import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { untilEmpty } from '../../../../src/worker/generations/until-empty.ts';
import { FakeClock } from './fakes.ts';

describe('the wait of a worker that ends', () => {
  const LIMITS = { lingerMs: 1000, maxMs: 10_000 };

  function waiting(busy: boolean, connections: number) {
    const clock = new FakeClock();
    const remainder = { busy, connections };
    let isOver = false;
    void untilEmpty(() => remainder, LIMITS, clock).then(() => (isOver = true));
    /** Returns whether the wait is over when more time has passed. */
    const isOverAfter = async (ms: number): Promise<boolean> => {
      clock.pass(ms);
      await Promise.resolve();
      return isOver;
    };
    return { remainder, isOverAfter };
  }

  it('ends at once if nothing remains', async () => {
    assert.equal(await waiting(false, 0).isOverAfter(0), true);
  });

  it('notices within 50 ms that nothing remains', async () => {
    const { remainder, isOverAfter } = waiting(true, 1);
    assert.equal(await isOverAfter(3000), false);
    remainder.busy = false;
    remainder.connections = 0;
    assert.equal(await isOverAfter(50), true);
  });

  it('ends when connections have been idle for a while', async () => {
    const { isOverAfter } = waiting(false, 5);
    assert.equal(await isOverAfter(999), false);
    assert.equal(await isOverAfter(1), true);
  });

  it('restarts the idle time when a request arrives', async () => {
    const { remainder, isOverAfter } = waiting(false, 1);
    assert.equal(await isOverAfter(900), false);
    remainder.busy = true;
    assert.equal(await isOverAfter(100), false);
    remainder.busy = false;
    assert.equal(await isOverAfter(1000), false);
    assert.equal(await isOverAfter(50), true);
  });

  it('ends at its deadline, whatever remains', async () => {
    const { isOverAfter } = waiting(true, 1);
    assert.equal(await isOverAfter(9999), false);
    assert.equal(await isOverAfter(1), true);
  });
});
