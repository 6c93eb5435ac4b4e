import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TallyReader } from '../../../../../src/primary/admin/live/live-tallies.ts';
import { BlockShape } from '../../../../../src/telemetry/block-shape.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import type { Block } from '../../../../../src/telemetry/page-layout.ts';

const SHAPE = BlockShape.of(pageMetrics.sessions);
const { offset } = SHAPE.series.find(({ metric }) => metric === pageMetrics.sessions)!;

describe('the sums of a live frame', () => {
  it('omit blocks that a reload removes between two steps, whose slots may be reused', () => {
    const blocks = Array.from({ length: 400 }, (_, index): Block => {
      const labels = { listener: 'web', route: `route-${index}`, cluster: 'app' };
      return { shape: SHAPE, labels, slot: index * 10 };
    });
    const series = { version: 1, blocks: blocks as readonly Block[] };
    const sums = {
      series: {
        get version() {
          return series.version;
        },
        *listVisible(): Generator<void, readonly Block[]> {
          return series.blocks;
        },
      },
      at: (slot: number) => ((slot - offset) % 10 === 0 ? 1 : 0),
    };
    const steps = new TallyReader(sums as never).read();
    assert.equal(steps.next().done, false);
    series.version = 2;
    series.blocks = blocks.slice(0, 300);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    assert.equal(step.value.sums.sessions, 300);
  });
});
