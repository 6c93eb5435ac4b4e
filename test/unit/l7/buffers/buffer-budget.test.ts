import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BufferBudget, type Buffering, type ShedReason } from '../../../../src/l7/buffers/buffer-budget.ts';
import { SHED_REASONS } from '../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';

function page(): StatsPage {
  const layout = new PageLayout();
  for (const direction of ['downstream', 'upstream']) layout.add(pageMetrics.bufferedBytes, { direction });
  layout.add(pageMetrics.unfinishedBytes, {});
  for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
  return new StatsPage(allocatePage(layout), layout);
}

/** Sessions that are being shed now. */
let shedding = 0;

/** A session with waiting bytes, until it is shed. */
class Holder implements Buffering {
  bufferedDownstream = 0;
  bufferedUpstream = 0;
  bufferedUnfinished = 0;
  sheds = 0;
  reason: ShedReason | null = null;
  measured = 0;
  /** The sizes that it reports when it is measured. */
  actual: readonly [downstream: number, upstream: number] = [0, 0];
  onShed: (() => void) | null = null;
  readonly #budget: BufferBudget;

  constructor(budget: BufferBudget) {
    this.#budget = budget;
  }

  measureBuffers(): void {
    this.measured++;
    const [downstream, upstream] = this.actual;
    this.#budget.setUpstream(this, upstream);
    this.#budget.setDownstream(this, downstream);
  }

  shed(reason: ShedReason): void {
    this.sheds++;
    this.reason = reason;
    this.actual = [0, 0];
    assert.equal(this.bufferedDownstream + this.bufferedUpstream, 0, 'it is forgotten before it is shed');
    assert.equal(shedding, 0, 'no session is shed while another one is');
    shedding++;
    this.onShed?.();
    shedding--;
  }
}

function gauges(stats: StatsPage): [downstream: number, upstream: number] {
  const value = (direction: string): number =>
    stats.values[stats.slot(pageMetrics.bufferedBytes, { direction })]!;
  return [value('downstream'), value('upstream')];
}

describe('the buffer budget', () => {
  it('shows the buffered bytes of each direction on the page', () => {
    const stats = page();
    const budget = new BufferBudget(10_000, stats);
    const [a, b] = [new Holder(budget), new Holder(budget)];
    budget.setDownstream(a, 100);
    budget.setUpstream(a, 20);
    budget.setDownstream(b, 5);
    assert.deepEqual(gauges(stats), [105, 20]);
    budget.setDownstream(a, 40);
    budget.setDownstream(a, 40);
    assert.deepEqual(gauges(stats), [45, 20]);
    budget.forget(a);
    assert.deepEqual(gauges(stats), [5, 0]);
    assert.deepEqual([a.bufferedDownstream, a.bufferedUpstream], [0, 0]);
    budget.forget(a);
    budget.setDownstream(b, 0);
    assert.deepEqual(gauges(stats), [0, 0]);
    assert.equal(a.sheds + b.sheds, 0);
  });

  it('sheds no session up to its bound', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const [a, b] = [new Holder(budget), new Holder(budget)];
    budget.setDownstream(a, 500);
    budget.setUpstream(b, 500);
    assert.equal(a.sheds + b.sheds, 0);
    assert.deepEqual(gauges(stats), [500, 500]);
  });

  it('sheds the session with the most bytes in both directions, and no other', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const [a, b, c] = [new Holder(budget), new Holder(budget), new Holder(budget)];
    budget.setDownstream(a, 250);
    budget.setUpstream(a, 250);
    budget.setDownstream(b, 400);
    budget.setDownstream(c, 101);
    assert.deepEqual([a.sheds, b.sheds, c.sheds], [1, 0, 0]);
    assert.deepEqual(gauges(stats), [501, 0]);
  });

  it('sheds down to nine tenths, the largest first', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const order: number[] = [];
    const holders = [30, 60, 40, 50].map((_, index) => {
      const holder = new Holder(budget);
      holder.onShed = () => order.push(index);
      return holder;
    });
    const rest = new Holder(budget);
    for (const [index, bytes] of [30, 60, 40, 50].entries()) budget.setUpstream(holders[index]!, bytes);
    for (let count = 0; count < 82; count++) budget.setUpstream(new Holder(budget), 10);
    assert.deepEqual(order, []);
    budget.setUpstream(rest, 1);
    assert.deepEqual(order, [1, 3]);
    assert.deepEqual(gauges(stats), [0, 891]);
  });

  it('counts incomplete messages, and reports why each session is shed', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const unfinished = (): number => stats.values[stats.slot(pageMetrics.unfinishedBytes, {})]!;
    const sheds = (): number[] =>
      SHED_REASONS.map((reason) => stats.values[stats.slot(pageMetrics.sessionsShed, { reason })]!);
    const [a, b, c] = [new Holder(budget), new Holder(budget), new Holder(budget)];
    budget.setUnfinished(a, 400);
    budget.setDownstream(b, 100);
    budget.setUpstream(b, 200);
    assert.deepEqual([unfinished(), budget.left], [400, 300]);
    budget.setUnfinished(c, 301);
    assert.deepEqual([a.reason, b.reason, c.reason], ['unfinished', null, null]);
    assert.deepEqual([unfinished(), ...gauges(stats), ...sheds()], [301, 100, 200, 0, 0, 1]);
    budget.setUpstream(b, 800);
    assert.deepEqual([b.reason, ...sheds()], ['upstream', 0, 1, 1]);
    budget.setDownstream(b, 800);
    assert.deepEqual([b.reason, ...sheds()], ['downstream', 1, 1, 1]);
    budget.forget(c);
    assert.deepEqual([unfinished(), budget.left], [0, 1000]);
  });

  it('keeps the reserved part free', () => {
    const budget = new BufferBudget(1000, page());
    const [a, b] = [new Holder(budget), new Holder(budget)];
    budget.setUpstream(a, 500);
    budget.reserve(400);
    assert.deepEqual([budget.maxBytes, budget.left], [1000, 100]);
    budget.setUpstream(b, 101);
    assert.deepEqual([a.sheds, b.sheds], [1, 0]);
    budget.reserve(0);
    budget.setUpstream(a, 899);
    assert.deepEqual([a.sheds, b.sheds], [1, 0]);
  });

  it('may shed the session that reports', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const [a, b] = [new Holder(budget), new Holder(budget)];
    budget.setDownstream(a, 300);
    budget.setUpstream(b, 900);
    assert.deepEqual([a.sheds, b.sheds], [0, 1]);
    assert.deepEqual(gauges(stats), [300, 0]);
  });

  it('tolerates changes by sessions while they are shed', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const [a, b, c] = [new Holder(budget), new Holder(budget), new Holder(budget)];
    budget.setUpstream(b, 250);
    budget.setUpstream(c, 50);
    // Closing the first writes to another, frees a third, and has its own end reported again.
    a.onShed = () => {
      budget.setUpstream(c, 950);
      budget.forget(b);
      budget.setDownstream(a, 0);
      budget.forget(a);
    };
    budget.setUpstream(a, 701);
    assert.deepEqual([a.sheds, b.sheds, c.sheds], [1, 0, 1]);
    assert.deepEqual(gauges(stats), [0, 0]);
    // And it sheds again when it has to.
    budget.setUpstream(b, 1001);
    assert.equal(b.sheds, 1);
    assert.deepEqual(gauges(stats), [0, 0]);
  });

  it('measures only sessions with buffered bytes again', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const holders = Array.from({ length: 4 }, () => new Holder(budget));
    for (const [index, holder] of holders.entries()) {
      if (index > 0) budget.setUpstream(holder, 100);
      holder.actual = [0, index * 10];
    }
    budget.forget(holders[3]!);
    budget.refresh();
    assert.deepEqual(
      holders.map(({ measured }) => measured),
      [0, 1, 1, 0],
    );
    assert.deepEqual(gauges(stats), [0, 30]);
    holders[1]!.actual = [0, 0];
    budget.refresh();
    budget.refresh();
    assert.deepEqual(
      holders.map(({ measured }) => measured),
      [0, 2, 3, 0],
    );
  });

  it('finishes a refresh in which bytes move between directions', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const holder = new Holder(budget);
    budget.setUpstream(holder, 100);
    holder.actual = [50, 0];
    budget.refresh();
    assert.ok(holder.measured <= 2);
    assert.deepEqual(gauges(stats), [50, 0]);
  });

  it('sheds in a refresh that finds too many bytes', () => {
    const stats = page();
    const budget = new BufferBudget(1000, stats);
    const holders = Array.from({ length: 5 }, () => new Holder(budget));
    for (const [index, holder] of holders.entries()) {
      budget.setDownstream(holder, 1);
      holder.actual = [300 + index, 0];
    }
    budget.refresh();
    const [downstream] = gauges(stats);
    assert.ok(downstream <= 1000);
    assert.ok(holders.some(({ sheds }) => sheds === 1));
    assert.ok(holders.every(({ sheds }) => sheds <= 1));
    assert.ok(holders.some(({ sheds }) => sheds === 0));
  });

  it('sheds hundreds of equal sessions with one search', () => {
    const budget = new BufferBudget(150_000, page());
    let looks = 0;
    const holders = Array.from({ length: 5000 }, () => {
      const holder = new Holder(budget);
      let waiting = 0;
      Object.defineProperty(holder, 'bufferedUpstream', {
        get: () => {
          looks++;
          return waiting;
        },
        set: (bytes: number) => {
          waiting = bytes;
        },
      });
      return holder;
    });
    for (const holder of holders) budget.setUpstream(holder, 30);
    assert.equal(holders.filter(({ sheds }) => sheds > 0).length, 0);
    looks = 0;
    budget.setDownstream(holders[0]!, 1);
    assert.equal(holders.filter(({ sheds }) => sheds > 0).length, 500);
    assert.ok(looks < 500_000, `${looks} looks at 5000 sessions`);
  });

  it('never exceeds its bound, and always shows the held bytes', () => {
    const step = fc.record({
      kind: fc.constantFrom('down', 'up', 'forget', 'refresh'),
      holder: fc.nat(5),
      bytes: fc.oneof(fc.nat(300), fc.constant(0), fc.nat(1500)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const stats = page();
        const budget = new BufferBudget(1000, stats);
        const holders = Array.from({ length: 6 }, () => new Holder(budget));
        for (const { kind, holder: number, bytes } of steps) {
          const holder = holders[number]!;
          if (kind === 'down') budget.setDownstream(holder, bytes);
          else if (kind === 'up') budget.setUpstream(holder, bytes);
          else if (kind === 'forget') budget.forget(holder);
          else {
            for (const each of holders) each.actual = [each.bufferedDownstream, each.bufferedUpstream >> 1];
            budget.refresh();
          }
          const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0);
          const [downstream, upstream] = gauges(stats);
          assert.equal(downstream, sum(holders.map(({ bufferedDownstream }) => bufferedDownstream)));
          assert.equal(upstream, sum(holders.map(({ bufferedUpstream }) => bufferedUpstream)));
          assert.ok(downstream + upstream <= 1000);
        }
      }),
    );
  });
});
