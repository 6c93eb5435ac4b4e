import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferToPollPhase } from '../../../src/loop/poll-phase.ts';
import { within } from '../../support/deadline.ts';

describe('deferral to the poll phase', () => {
  it('calls back once, in order, after the code that defers', async () => {
    const calls: string[] = [];
    const done = new Promise<void>((settle) => {
      deferToPollPhase(() => calls.push('first'));
      deferToPollPhase(() => {
        calls.push('second');
        settle();
      });
      calls.push('now');
    });
    await within('the callbacks', done);
    assert.deepEqual(calls, ['now', 'first', 'second']);
  });

  it('accepts callbacks during a callback', async () => {
    const done = new Promise<void>((settle) => deferToPollPhase(() => deferToPollPhase(settle)));
    await within('the callback of the callback', done);
  });

  it('calls back outside the check phase: a due timer runs after the immediate', async () => {
    // Immediates that a callback of the poll phase adds run in the check phase of the same iteration, before timers.
    const calls: string[] = [];
    const done = new Promise<void>((settle) => {
      deferToPollPhase(() => {
        setTimeout(() => {
          calls.push('timer');
          settle();
        }, 1);
        const due = performance.now() + 5;
        while (performance.now() < due);
        setImmediate(() => calls.push('immediate'));
      });
    });
    await within('the timer', done);
    assert.deepEqual(calls, ['immediate', 'timer']);
  });
});
