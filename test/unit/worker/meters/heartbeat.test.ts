import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { Pulse } from '../../../../src/protocol/pulse.ts';
import { Heartbeat } from '../../../../src/worker/meters/heartbeat.ts';

describe('the heartbeat of a worker', () => {
  it('beats only at ticks of the wheel', () => {
    const wheel = new TimerWheel(0);
    const pulse = new Pulse();
    new Heartbeat(pulse, wheel);
    assert.equal(pulse.beats, 0);
    for (let tick = 1; tick <= 5; tick++) {
      wheel.advance(tick * 100);
      assert.equal(pulse.beats, tick);
    }
  });

  it('beats once after a long stall', () => {
    const wheel = new TimerWheel(0);
    const pulse = new Pulse();
    new Heartbeat(pulse, wheel);
    wheel.advance(1_000_000);
    assert.equal(pulse.beats, 1);
    wheel.advance(1_000_100);
    assert.equal(pulse.beats, 2);
  });

  it('is seen by another thread, with the id of the thread', () => {
    const pulse = new Pulse();
    const other = new Pulse(pulse.memory);
    pulse.beat();
    pulse.identify(3);
    assert.deepEqual([other.beats, other.thread], [1, 3]);
  });
});
