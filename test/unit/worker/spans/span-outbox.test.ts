import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TICK_MS, TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { SpanRecord } from '../../../../src/protocol/spans.ts';
import { SpanOutbox } from '../../../../src/worker/spans/span-outbox.ts';

const SPAN = { name: 'GET' } as SpanRecord;

class Rig {
  readonly sent: [number, number][] = [];
  readonly wheel = new TimerWheel(0);
  readonly outbox: SpanOutbox;

  constructor(workers = 1) {
    const send = (spans: readonly SpanRecord[], dropped: number): void =>
      void this.sent.push([spans.length, dropped]);
    this.outbox = new SpanOutbox(this.wheel, workers, send);
  }

  offer(count: number, isSampled: boolean): void {
    for (let span = 0; span < count; span++) if (this.outbox.admits(isSampled)) this.outbox.add(SPAN);
  }

  advance(ms: number): void {
    this.wheel.advance(this.wheel.now + ms);
  }
}

describe('the outbox of spans', () => {
  it('sends ended spans once per tick, and nothing without spans', () => {
    const rig = new Rig();
    rig.offer(3, true);
    assert.deepEqual(rig.sent, []);
    rig.advance(2 * TICK_MS);
    assert.deepEqual(rig.sent, [[3, 0]]);
    rig.advance(10 * TICK_MS);
    assert.deepEqual(rig.sent, [[3, 0]]);
    rig.offer(1, true);
    rig.outbox.flush();
    assert.deepEqual(rig.sent, [
      [3, 0],
      [1, 0],
    ]);
  });

  it('drops and counts spans above the limit of a report', () => {
    const rig = new Rig();
    rig.offer(600, true);
    rig.advance(2 * TICK_MS);
    assert.deepEqual(rig.sent, [[500, 100]]);
  });

  it("divides the primary's capacity among the workers, with a minimum for each", () => {
    for (const [workers, share] of [
      [4, 125],
      [64, 30],
    ] as const) {
      const rig = new Rig(workers);
      rig.offer(600, true);
      rig.advance(2 * TICK_MS);
      assert.deepEqual(rig.sent, [[share, 600 - share]]);
    }
  });

  it('takes failures at a limited rate', () => {
    const rig = new Rig();
    for (let tick = 0; tick < 100; tick++) {
      rig.offer(1000, false);
      rig.advance(TICK_MS);
    }
    rig.outbox.flush();
    const taken = rig.sent.reduce((sum, [spans]) => sum + spans, 0);
    const dropped = rig.sent.reduce((sum, [, count]) => sum + count, 0);
    assert.equal(taken + dropped, 100_000);
    assert.ok(taken >= 600 && taken <= 720, `${taken} of 10 seconds`);
  });
});
