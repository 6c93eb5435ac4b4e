import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { SessionCloser } from '../../../../src/worker/access/session-closer.ts';

describe('the closing of many sessions', () => {
  /** Each session takes a millisecond to close. */
  function rig(count: number): {
    closed: string[];
    sessions: { close: () => boolean }[];
    clock: () => number;
  } {
    const closed: string[] = [];
    let ms = 0;
    const sessions = Array.from({ length: count }, (_, index) => ({
      close: (code = 0, reason = ''): boolean => {
        ms++;
        return closed.push(`${index} ${code} ${reason}`) > 0;
      },
    }));
    return { closed, sessions, clock: () => ms };
  }

  it('closes a few at once', () => {
    const { closed, sessions, clock } = rig(3);
    new SessionCloser(new TimerWheel(0), clock).close(sessions, 1008, 'x');
    assert.deepEqual(closed, ['0 1008 x', '1 1008 x', '2 1008 x']);
  });

  it('takes at most about 10 ms per turn, and closes all', () => {
    const { closed, sessions, clock } = rig(100);
    const wheel = new TimerWheel(0);
    new SessionCloser(wheel, clock).close(sessions, 1008, '');
    const sizes = [closed.length];
    for (let now = 100; now <= 1000; now += 100) {
      wheel.advance(now);
      sizes.push(closed.length - sizes.reduce((sum, size) => sum + size, 0));
    }
    assert.ok(Math.max(...sizes) <= 16, sizes.join(' '));
    assert.equal(new Set(closed).size, 100);
  });

  it('keeps the order of two commands', () => {
    const first = rig(40);
    const wheel = new TimerWheel(0);
    const closer = new SessionCloser(wheel, first.clock);
    closer.close(first.sessions, 1008, '');
    const second: number[] = [];
    closer.close([{ close: (code) => second.push(code) > 0 }], 4000, '');
    assert.deepEqual(second, []);
    for (let now = 100; now <= 500; now += 100) wheel.advance(now);
    assert.deepEqual([first.closed.length, second], [40, [4000]]);
  });
});
