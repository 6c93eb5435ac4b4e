import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChangingSlots } from '../../../src/telemetry/changing-slots.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../src/telemetry/metrics/page-shapes.ts';

const keyOf = (cluster: string): string => pageShapes.cluster.keyOf({ cluster });

function knows(slots: ChangingSlots, cluster: string): boolean {
  try {
    return slots.slot(pageMetrics.clusterConnectionsActive, { cluster }) >= 0;
  } catch {
    return false;
  }
}

describe('the places of blocks in a worker', () => {
  const change = { arriving: new Map([[keyOf('b'), 50]]), leaving: [keyOf('a')] };

  it('are those of both generations until the next is in force', () => {
    const slots = new ChangingSlots(new Map([[keyOf('a'), 0]]));
    const { commit } = slots.prepare(change);
    assert.deepEqual([knows(slots, 'a'), knows(slots, 'b')], [true, true]);
    commit();
    assert.deepEqual([knows(slots, 'a'), knows(slots, 'b')], [false, true]);
    assert.equal(slots.slot(pageMetrics.clusterConnectionsActive, { cluster: 'b' }), 50);
  });

  it('are as before if the next generation is dropped', () => {
    const slots = new ChangingSlots(new Map([[keyOf('a'), 0]]));
    slots.prepare(change).abort();
    assert.deepEqual([knows(slots, 'a'), knows(slots, 'b')], [true, false]);
  });
});
