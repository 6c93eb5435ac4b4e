import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedRendering } from '../../../../../src/primary/admin/pages/shared-rendering.ts';

/** A page that says when it was rendered, a clock that is set, and timers that fire when it is. */
class Rig {
  now = 5000;
  renderings = 0;
  fails = false;
  #timers: { at: number; run: () => void }[] = [];
  readonly page = new SharedRendering(
    () => {
      this.renderings++;
      if (this.fails) throw new Error('broken');
      return this.now;
    },
    {
      periodMs: 1000,
      now: () => this.now,
      setTimer: (run, ms) => this.#timers.push({ at: this.now + ms, run }),
    },
  );

  at(now: number): void {
    this.now = now;
    const due = this.#timers.filter((timer) => timer.at <= now);
    this.#timers = this.#timers.filter((timer) => timer.at > now);
    for (const { run } of due) run();
  }
}

describe('a shared rendering', () => {
  it('serves everybody for a period', async () => {
    const rig = new Rig();
    const first = [rig.page.recent(), rig.page.recent()];
    rig.at(5999);
    assert.deepEqual(await Promise.all([...first, rig.page.recent()]), [5000, 5000, 5000]);
    assert.equal(rig.renderings, 1);
    rig.at(6000);
    assert.deepEqual([await rig.page.recent(), rig.renderings], [6000, 2]);
  });

  it('is made at once for who wants a fresh one, if the last began a period ago', async () => {
    const rig = new Rig();
    assert.equal(await rig.page.fresh(), 5000);
    rig.at(6500);
    assert.equal(await rig.page.fresh(), 6500);
  });

  it('is made when the period is over for all who want a fresh one meanwhile', async () => {
    const rig = new Rig();
    assert.equal(await rig.page.recent(), 5000);
    rig.at(5200);
    const fresh = [rig.page.fresh(), rig.page.fresh()];
    assert.equal(await rig.page.recent(), 5000);
    rig.at(5999);
    assert.equal(rig.renderings, 1);
    rig.at(6000);
    assert.deepEqual(await Promise.all(fresh), [6000, 6000]);
    assert.deepEqual([await rig.page.recent(), rig.renderings], [6000, 2]);
  });

  it('is not made twice when a reader comes before a late timer', async () => {
    const rig = new Rig();
    await rig.page.recent();
    const fresh = rig.page.fresh();
    rig.now = 6300;
    assert.deepEqual(await Promise.all([rig.page.recent(), fresh]), [6300, 6300]);
    rig.at(6400);
    assert.equal(rig.renderings, 2);
  });

  it('fails for all of its readers, and is tried again a period later', async () => {
    const rig = new Rig();
    rig.fails = true;
    for (const page of [rig.page.recent(), rig.page.recent()]) await assert.rejects(page, /broken/);
    assert.equal(rig.renderings, 1);
    rig.fails = false;
    const fresh = rig.page.fresh();
    rig.at(6000);
    assert.equal(await fresh, 6000);
  });
});
