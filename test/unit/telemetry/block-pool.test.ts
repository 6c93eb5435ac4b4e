import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Labels } from '../../../src/telemetry/block-shape.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../src/telemetry/metrics/page-shapes.ts';
import type { BlockName } from '../../../src/telemetry/page-layout.ts';
import { PageSums } from '../../../src/telemetry/page-sums.ts';
import { SeriesDirectory } from '../../../src/telemetry/series-directory.ts';
import { allocatePage } from '../../../src/telemetry/stats-page.ts';

const labelsOf = (endpoint: string): Labels => ({ cluster: 'app', endpoint });
const CONNECTS = pageShapes.endpoint.offsetOf(pageMetrics.endpointConnects)!;

class Rig {
  readonly directory: SeriesDirectory;
  readonly sums: PageSums;
  readonly pages: readonly Float64Array[];

  constructor(listed: readonly BlockName[] = []) {
    this.directory = new SeriesDirectory(listed);
    const buffers = [1, 2].map(() => allocatePage({ size: this.directory.capacity }));
    this.sums = new PageSums(this.directory, buffers);
    this.pages = buffers.map((buffer) => new Float64Array(buffer));
  }

  lend(endpoint: string): number | null {
    return this.directory.lend(labelsOf(endpoint), this.sums);
  }

  returnBlock(endpoint: string): void {
    this.directory.returnBlock(labelsOf(endpoint));
  }

  /** Returns the counts shown for each endpoint: open connections and connects. */
  get shown(): Record<string, number[]> {
    this.directory.sweep(this.sums);
    const shown: Record<string, number[]> = {};
    for (const { labels, slot } of this.directory.visible()) {
      shown[labels.endpoint!] = [this.sums.at(slot), this.sums.at(slot + CONNECTS)];
    }
    return shown;
  }

  /** Lends to other endpoints, one at a time, and takes the block back. Returns the slots lent. */
  churn(count: number): Set<number> {
    const slots = new Set<number>();
    for (let turn = 0; turn < count; turn++) {
      slots.add(this.lend(`other-${turn}`)!);
      this.returnBlock(`other-${turn}`);
    }
    return slots;
  }
}

describe('lent blocks', () => {
  it("are found under their owner's labels, each in separate slots", () => {
    const rig = new Rig();
    const slots = Array.from({ length: 5000 }, (_, index) => rig.lend(`a:${index}`)!);
    assert.equal(new Set(slots).size, 5000);
    const labels = { cluster: 'app', endpoint: 'a:7' };
    assert.equal(rig.directory.slot(pageMetrics.endpointConnectionsActive, labels), slots[7]);
    assert.equal(rig.directory.slot(pageMetrics.endpointConnects, labels), slots[7]! + CONNECTS);
    assert.equal(Object.keys(rig.shown).length, 5000);
  });

  it('stay shown for a removed owner until its last connection ends', () => {
    const rig = new Rig();
    const slot = rig.lend('a')!;
    rig.pages[0]![slot] = 1;
    rig.pages[1]![slot + CONNECTS] = 5;
    rig.returnBlock('a');
    assert.deepEqual(rig.shown, { a: [1, 5] });
    const { version } = rig.directory;
    rig.pages[0]![slot] = 0;
    assert.deepEqual(rig.shown, {});
    assert.ok(rig.directory.version > version);
  });

  it('keep their counts when an owner returns', () => {
    const rig = new Rig();
    const slot = rig.lend('a')!;
    rig.pages[1]![slot + CONNECTS] = 5;
    rig.returnBlock('a');
    assert.notEqual(rig.lend('b'), slot);
    assert.equal(rig.lend('a'), slot);
    assert.deepEqual(rig.shown, { a: [0, 5], b: [0, 0] });
  });

  it('belong to their owner until every holder returns them', () => {
    const rig = new Rig();
    const slot = rig.lend('a');
    assert.equal(rig.lend('a'), slot);
    rig.returnBlock('a');
    assert.deepEqual(Object.keys(rig.shown), ['a']);
    rig.returnBlock('a');
    rig.returnBlock('a');
    assert.deepEqual(rig.shown, {});
  });

  it('are reused when enough are idle, and count from 0 for the next owner', () => {
    const rig = new Rig();
    const slot = rig.lend('a')!;
    rig.pages[0]![slot + CONNECTS] = 5;
    rig.returnBlock('a');
    let turns = 0;
    const slots = new Set<number>();
    for (let next = rig.lend('other-0'); next !== slot; next = rig.lend(`other-${turns}`)) {
      slots.add(next!);
      rig.returnBlock(`other-${turns}`);
      assert.ok(++turns < 2000, `not reused: ${slots.size} blocks for one owner at a time`);
    }
    assert.ok(turns > 500, 'reused too soon: a worker may still write the block');
    assert.deepEqual(rig.shown, { [`other-${turns}`]: [0, 0] });
    rig.pages[1]![slot + CONNECTS]! += 2;
    assert.deepEqual(rig.shown, { [`other-${turns}`]: [0, 2] });
  });

  it('are not reassigned while their last owner has a connection', () => {
    const rig = new Rig();
    const slot = rig.lend('a')!;
    rig.pages[0]![slot] = 1;
    rig.returnBlock('a');
    assert.ok(!rig.churn(5000).has(slot));
    assert.deepEqual(rig.shown, { a: [1, 0] });
  });

  it('are reused even if many earlier owners have connections', () => {
    const rig = new Rig();
    for (let index = 0; index < 200; index++) {
      rig.pages[0]![rig.lend(`lives-${index}`)!] = 1;
      rig.returnBlock(`lives-${index}`);
    }
    assert.ok(rig.churn(5000).size < 1000);
    assert.equal(Object.keys(rig.shown).length, 200);
  });

  it('leave half of the slots to configurations, and are refused when their own half is used up', () => {
    const rig = new Rig();
    const { size } = pageShapes.endpoint;
    let count = 0;
    while (rig.lend(`a:${count}`) !== null) count++;
    assert.equal(count, Math.floor(rig.directory.capacity / 2 / size));
    const listed = Array.from({ length: 1000 }, (_, index) => ({
      shape: pageShapes.endpoint,
      labels: labelsOf(`l:${index}`),
    }));
    assert.ok(rig.directory.plan({ added: listed, removed: [] }, 2) !== null);
    rig.returnBlock('a:0');
    assert.ok(rig.lend('b') !== null, 'reuses the block of a removed owner');
    assert.equal(rig.lend('c'), null);
  });

  it('are hidden by a configured series with the same labels until it retires', () => {
    const rig = new Rig([{ shape: pageShapes.endpoint, labels: labelsOf('a') }]);
    const listed = rig.directory.slot(pageMetrics.endpointConnectionsActive, labelsOf('a'));
    const lent = rig.lend('a')!;
    rig.pages[0]![listed] = 1;
    rig.pages[0]![lent] = 2;
    assert.deepEqual(rig.shown, { a: [1, 0] });
    const removed = [{ shape: pageShapes.endpoint, labels: labelsOf('a') }];
    rig.directory.plan({ added: [], removed }, 2)!.commit();
    assert.deepEqual(rig.shown, { a: [2, 0] });
    assert.equal(rig.sums.value(pageMetrics.endpointConnectionsActive, labelsOf('a')), 2);
  });

  it('keep the counts of an ended worker', () => {
    const rig = new Rig();
    const slot = rig.lend('a')!;
    rig.pages[1]![slot] = 1;
    rig.pages[1]![slot + CONNECTS] = 5;
    rig.sums.remove(rig.pages[1]!.buffer as SharedArrayBuffer, rig.directory.all());
    assert.deepEqual(rig.shown, { a: [0, 5] });
  });
});
