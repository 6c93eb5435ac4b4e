/** How much of taps the primary passes on in a period. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_PERIOD_CHARACTERS, ReportPace } from '../../../../src/primary/tap/report-pace.ts';

class Rig {
  readonly timers: (() => void)[] = [];
  readonly due: string[] = [];
  readonly pace = new ReportPace({ later: (_ms, run) => this.timers.push(run) });

  pass(name: string, characters: number): void {
    this.pace.pass(characters, () => this.due.push(name));
  }

  /** Ends the period. */
  next(): void {
    for (const run of this.timers.splice(0)) run();
  }
}

describe('the pace of reports', () => {
  it('passes reports at once while the period has room', () => {
    const rig = new Rig();
    for (const name of ['a', 'b', 'c']) rig.pass(name, 1000);
    assert.deepEqual(rig.due, ['a', 'b', 'c']);
    assert.equal(rig.timers.length, 1);
  });

  it('delays the others to later periods, in their order', () => {
    const rig = new Rig();
    for (const name of ['a', 'b', 'c', 'd', 'e']) rig.pass(name, MAX_PERIOD_CHARACTERS / 2);
    assert.deepEqual(rig.due, ['a', 'b']);
    rig.next();
    assert.deepEqual(rig.due, ['a', 'b', 'c', 'd']);
    rig.next();
    assert.deepEqual(rig.due, ['a', 'b', 'c', 'd', 'e']);
    rig.next();
    assert.deepEqual(rig.timers, [], 'an idle pace has no timer');
  });
});
