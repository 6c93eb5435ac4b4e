import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChangingSlots } from '../../../../src/telemetry/slots/changing-slots.ts';
import { SharedSlots, writeSharedSlots } from '../../../../src/telemetry/slots/shared-slots.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../../src/telemetry/metrics/page-shapes.ts';

const keyOf = (cluster: string): string => pageShapes.cluster.keyOf({ cluster });
const NONE = { arriving: new Map<string, number>(), leaving: [] };

function knows(slots: ChangingSlots, cluster: string): boolean {
  try {
    return slots.slot(pageMetrics.clusterConnectionsActive, { cluster }) >= 0;
  } catch {
    return false;
  }
}

describe("a worker's table of slots", () => {
  const change = { arriving: new Map([[keyOf('b'), 50]]), leaving: [keyOf('a')] };

  it('contains the blocks of all live generations', () => {
    const slots = new ChangingSlots(new SharedSlots(writeSharedSlots(new Map([[keyOf('a'), 0]]))));
    slots.prepare(change, 2).commit();
    slots.release(1);
    assert.deepEqual([knows(slots, 'a'), knows(slots, 'b')], [true, true]);
    slots.release(2);
    assert.deepEqual([knows(slots, 'a'), knows(slots, 'b')], [false, true]);
    assert.equal(slots.slot(pageMetrics.clusterConnectionsActive, { cluster: 'b' }), 50);
  });

  it('is unchanged if the next generation is aborted', () => {
    const slots = new ChangingSlots(new SharedSlots(writeSharedSlots(new Map([[keyOf('a'), 0]]))));
    slots.prepare(change, 2).abort();
    slots.release(9);
    assert.deepEqual([knows(slots, 'a'), knows(slots, 'b')], [true, false]);
  });

  it('keeps a block that is added again, even if the first attempt is aborted', () => {
    const slots = new ChangingSlots(new SharedSlots(writeSharedSlots(new Map([[keyOf('a'), 0]]))));
    slots.prepare({ ...NONE, leaving: [keyOf('a')] }, 2).commit();
    const back = { ...NONE, arriving: new Map([[keyOf('a'), 0]]) };
    slots.prepare(back, 3).abort();
    assert.equal(knows(slots, 'a'), true);
    slots.prepare(back, 3).commit();
    slots.release(3);
    assert.equal(knows(slots, 'a'), true);
  });
});
