import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedRendering } from '../../../../../src/primary/admin/pages/shared-rendering.ts';

interface Page {
  readonly begun: number;
  readonly ended: Promise<void>;
  isDropped: boolean;
}

/** A page that says when its rendering began, a clock that is set, and timers that fire when it is. */
class Rig {
  now = 5000;
  renderings = 0;
  fails = false;
  /** How long a rendering takes; null if it does not end by itself. */
  costMs: number | null = 10;
  /** Whether readers get the page before it has ended. */
  begins = false;
  end: () => void = () => undefined;
  #timers: { at: number; run: () => void }[] = [];
  last: Page | null = null;
  readonly #shared = new SharedRendering(() => this.#render(), {
    minPeriodMs: 100,
    maxPeriodMs: 1000,
    now: () => this.now,
    setTimer: (run, ms) => this.#timers.push({ at: this.now + ms, run }),
  });
  readonly page = {
    recent: async (): Promise<number> => (await this.#shared.recent()).begun,
    fresh: async (): Promise<number> => (await this.#shared.fresh()).begun,
  };

  /** Sets the clock, when the promises of the time before have settled. */
  async at(now: number): Promise<void> {
    await new Promise((settle) => setImmediate(settle));
    this.now = now;
    const due = this.#timers.filter((timer) => timer.at <= now);
    this.#timers = this.#timers.filter((timer) => timer.at > now);
    for (const { run } of due) run();
  }

  async #render(): Promise<Page> {
    const begun = this.now;
    this.renderings++;
    if (this.fails) throw new Error('broken');
    const page = { begun, ended: Promise.resolve(), isDropped: false };
    if (this.costMs !== null) this.now += this.costMs;
    else if (this.begins) page.ended = new Promise<void>((settle) => (this.end = settle));
    else await new Promise<void>((settle) => (this.end = settle));
    return (this.last = page);
  }
}

describe('a shared rendering', () => {
  it('serves everybody for 50 times its duration', async () => {
    const rig = new Rig();
    const first = [rig.page.recent(), rig.page.recent()];
    await rig.at(5499);
    assert.deepEqual(await Promise.all([...first, rig.page.recent()]), [5000, 5000, 5000]);
    assert.equal(rig.renderings, 1);
    await rig.at(5500);
    assert.deepEqual([await rig.page.recent(), rig.renderings], [5500, 2]);
  });

  for (const [kind, costMs, periodMs] of [
    ['the min period if it took no time', 0, 100],
    ['the max period if it took long', 30, 1000],
    ['its own time if it took longer than the max period', 1200, 1200],
  ] as const) {
    it(`serves everybody for ${kind}`, async () => {
      const rig = new Rig();
      rig.costMs = costMs;
      await rig.page.recent();
      await rig.at(5000 + periodMs - 1);
      await rig.page.recent();
      assert.equal(rig.renderings, 1);
      await rig.at(5000 + periodMs);
      await rig.page.recent();
      assert.equal(rig.renderings, 2);
    });
  }

  it('starts at once on a request for a fresh one, if the last period is over', async () => {
    const rig = new Rig();
    assert.equal(await rig.page.fresh(), 5000);
    await rig.at(5600);
    assert.equal(await rig.page.fresh(), 5600);
  });

  it('starts when the period ends, for all that requested a fresh one by then', async () => {
    const rig = new Rig();
    assert.equal(await rig.page.recent(), 5000);
    await rig.at(5200);
    const fresh = [rig.page.fresh(), rig.page.fresh()];
    assert.equal(await rig.page.recent(), 5000);
    await rig.at(5499);
    assert.equal(rig.renderings, 1);
    await rig.at(5500);
    assert.deepEqual(await Promise.all(fresh), [5500, 5500]);
    assert.deepEqual([await rig.page.recent(), rig.renderings], [5500, 2]);
  });

  it('serves everybody while it is in progress, and fresh requests for its period too', async () => {
    const rig = new Rig();
    rig.costMs = null;
    const first = rig.page.recent();
    await rig.at(9000);
    const [second, fresh] = [rig.page.recent(), rig.page.fresh()];
    assert.equal(rig.renderings, 1);
    rig.end();
    assert.deepEqual(await Promise.all([first, second]), [5000, 5000]);
    await rig.at(9001);
    rig.end();
    assert.deepEqual([await fresh, rig.renderings], [9001, 2]);
  });

  it('does not start twice when a reader precedes a late timer', async () => {
    const rig = new Rig();
    await rig.page.recent();
    await rig.at(5100);
    const fresh = rig.page.fresh();
    rig.now = 5600;
    assert.deepEqual(await Promise.all([rig.page.recent(), fresh]), [5600, 5600]);
    await rig.at(5700);
    assert.equal(rig.renderings, 2);
  });

  it('fails for all of its readers, and is retried a period later', async () => {
    const rig = new Rig();
    rig.fails = true;
    for (const page of [rig.page.recent(), rig.page.recent()]) await assert.rejects(page, /broken/);
    assert.equal(rig.renderings, 1);
    rig.fails = false;
    const fresh = rig.page.fresh();
    await rig.at(5100);
    assert.equal(await fresh, 5100);
  });

  it('is read while in progress, and its period counts from its end', async () => {
    const rig = new Rig();
    rig.costMs = null;
    rig.begins = true;
    assert.deepEqual(await Promise.all([rig.page.recent(), rig.page.recent()]), [5000, 5000]);
    await rig.at(9000);
    assert.equal(await rig.page.recent(), 5000);
    const fresh = rig.page.fresh();
    rig.end();
    await rig.at(9000);
    assert.deepEqual([await fresh, rig.renderings], [9000, 2]);
  });

  it('is not read again once dropped, and the next starts when its period ends', async () => {
    const rig = new Rig();
    await rig.page.recent();
    rig.last!.isDropped = true;
    await rig.at(5200);
    const recent = rig.page.recent();
    assert.equal(rig.renderings, 1);
    await rig.at(5500);
    assert.deepEqual([await recent, rig.renderings], [5500, 2]);
  });
});
