import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Timetable, type Scheduled } from '../../../../../bench/scenarios/replay/timetable.ts';
import { FakeClock } from './fake-stage.ts';

describe('the timetable of a replay', () => {
  const clock = new FakeClock();
  const calls: string[] = [];
  const itemOf = (name: string): Scheduled => ({
    heapIndex: -1,
    dueAt: 0,
    due: () => calls.push(`${clock.time} ${name}`),
  });

  it('calls each item at its time, whatever order they were scheduled in', () => {
    const timetable = new Timetable(clock);
    const [a, b, c] = [itemOf('a'), itemOf('b'), itemOf('c')];
    timetable.schedule(a, 30);
    timetable.schedule(b, 10);
    timetable.schedule(c, 20);
    timetable.schedule(b, 25);
    timetable.cancel(c);
    timetable.cancel(c);
    clock.goTo(100);
    assert.deepEqual(calls.splice(0), ['25 b', '30 a']);
    timetable.schedule(c, 50);
    clock.goTo(101);
    assert.deepEqual(calls.splice(0), ['100 c']);
  });

  it('uses several timers for an item that is due in months', () => {
    const timetable = new Timetable({
      now: () => clock.time,
      after: (ms, callback) => {
        assert.ok(ms < 2 ** 31);
        return clock.after(ms, callback);
      },
    });
    const at = clock.time + 3_000_000_000;
    timetable.schedule(itemOf('late'), at);
    clock.goTo(at - 1);
    assert.deepEqual(calls, []);
    clock.goTo(at);
    assert.deepEqual(calls.splice(0), [`${at} late`]);
  });

  it('makes no early call if a timer fires early', () => {
    const callbacks: (() => void)[] = [];
    let now = 0;
    const early = new Timetable({
      now: () => now,
      after: (_ms, callback) => {
        callbacks.push(callback);
        return () => undefined;
      },
    });
    early.schedule(itemOf('a'), 10);
    now = 9.5;
    callbacks.shift()!();
    assert.deepEqual(calls, []);
    now = 10;
    callbacks.shift()!();
    assert.equal(calls.splice(0).length, 1);
  });

  it('makes no call after it is stopped, even by a callback', () => {
    const timetable = new Timetable(clock);
    const stopping: Scheduled = { heapIndex: -1, dueAt: 0, due: () => timetable.stop() };
    timetable.schedule(itemOf('b'), 300);
    timetable.schedule(stopping, 200);
    timetable.schedule(itemOf('c'), 200);
    clock.goTo(400);
    timetable.schedule(itemOf('d'), 400);
    clock.goTo(500);
    assert.ok(!calls.some((call) => call.endsWith('b') || call.endsWith('d')));
  });
});
