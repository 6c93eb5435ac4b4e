import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpeningGate, type Entrant } from '../../../../../bench/scenarios/replay/opening-gate.ts';
import { Timetable } from '../../../../../bench/scenarios/replay/timetable.ts';
import { FakeClock } from './fake-stage.ts';

const OPENING_MS = 10;

/** Opens connections for clients that are all due at once. Each connection takes {@link OPENING_MS} to open. */
function openAll(count: number, max: number): { readonly openedAt: number[]; readonly most: number } {
  const clock = new FakeClock();
  const timetable = new Timetable(clock);
  const gate = new OpeningGate(max);
  const openedAt: number[] = [];
  let [opening, most] = [0, 0];
  for (let client = 0; client < count; client++) {
    const open = (): void => {
      most = Math.max(most, ++opening);
      const isOpen = (): void => {
        opening--;
        openedAt[client] = clock.time;
        gate.leave();
      };
      timetable.schedule({ heapIndex: -1, dueAt: 0, due: isOpen }, clock.time + OPENING_MS);
    };
    if (gate.enter({ admitted: open })) open();
  }
  clock.goTo(1_000_000);
  return { openedAt, most };
}

describe('the opening gate', () => {
  it('admits all at once if there is room', () => {
    assert.deepEqual(openAll(3, 3), { openedAt: [10, 10, 10], most: 3 });
  });

  it('admits at most its max at once, and the others in order', () => {
    assert.deepEqual(openAll(7, 3), { openedAt: [10, 10, 10, 20, 20, 20, 30], most: 3 });
  });

  it('admits each of 20,000 clients', () => {
    const { openedAt, most } = openAll(20_000, 100);
    assert.equal(most, 100);
    assert.deepEqual([openedAt.length, openedAt.at(-1)], [20_000, 2000]);
  });

  it('has room again after all waiting clients have left', () => {
    const gate = new OpeningGate(1);
    const calls: string[] = [];
    const named = (name: string): Entrant => ({ admitted: () => calls.push(name) });
    assert.ok(gate.enter(named('a')));
    assert.ok(!gate.enter(named('b')));
    gate.leave();
    assert.ok(!gate.enter(named('c')));
    gate.leave();
    gate.leave();
    assert.deepEqual(calls, ['b', 'c']);
    assert.ok(gate.enter(named('d')));
  });

  it('admits no client after it is stopped', () => {
    const gate = new OpeningGate(1);
    const refused: Entrant = { admitted: () => assert.fail('admitted') };
    assert.ok(gate.enter(refused));
    assert.ok(!gate.enter(refused));
    gate.stop();
    gate.leave();
    assert.ok(!gate.enter(refused));
  });
});
