import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { doSteps } from '../../../src/core/timing/steps.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../src/telemetry/metrics/page-shapes.ts';
import type { BlockName } from '../../../src/telemetry/page-layout.ts';
import { SeriesDirectory } from '../../../src/telemetry/series-directory.ts';

const listener = (name: string): BlockName => ({ shape: pageShapes.listener, labels: { listener: name } });
const cluster = (name: string): BlockName => ({ shape: pageShapes.cluster, labels: { cluster: name } });

/** Lists the blocks of the generation in use. */
function inUse(directory: SeriesDirectory): BlockName[] {
  return [...directory.all()].filter(({ shape, labels }) => {
    const [place] = shape.series;
    return directory.find(place!.metric, { ...labels, ...place!.labels }) !== undefined;
  });
}

function planOf(
  directory: SeriesDirectory,
  wanted: readonly BlockName[],
  generation: number,
): ReturnType<SeriesDirectory['plan']> {
  return directory.plan({ added: wanted, removed: inUse(directory) }, generation);
}

function change(directory: SeriesDirectory, wanted: readonly BlockName[], generation: number): void {
  const plan = planOf(directory, wanted, generation);
  assert.ok(plan !== null);
  plan.commit();
}

const shown = (directory: SeriesDirectory): string[] =>
  directory.visible().map(({ labels }) => Object.values(labels).join());

describe('the series directory', () => {
  it('keeps the slots of a series while others change, and reuses them when it is added again', () => {
    const directory = new SeriesDirectory([listener('a'), cluster('x'), listener('b')]);
    const slotOf = (name: string): number => directory.slot(pageMetrics.connections, { listener: name });
    const [a, b] = [slotOf('a'), slotOf('b')];
    change(directory, [listener('c'), listener('b')], 2);
    assert.equal(slotOf('b'), b);
    assert.throws(() => slotOf('a'), RangeError);
    assert.equal(directory.find(pageMetrics.connections, { listener: 'a' }), undefined);
    change(directory, [listener('a'), listener('b'), listener('c')], 3);
    assert.equal(slotOf('a'), a);
    assert.equal(new Set([slotOf('a'), slotOf('b'), slotOf('c')]).size, 3);
  });

  it('changes nothing before a plan is committed', () => {
    const directory = new SeriesDirectory([listener('a')]);
    const { version } = directory;
    const table = directory.tableWithout(pageShapes.endpoint);
    assert.ok(planOf(directory, [listener('b')], 2) !== null);
    assert.deepEqual(directory.tableWithout(pageShapes.endpoint), table);
    assert.deepEqual([directory.version, shown(directory)], [version, ['a']]);
  });

  it('lists thousands of blocks in steps, including those added between steps', () => {
    const clusters = Array.from({ length: 3500 }, (_, index) => cluster(`c${index}`));
    const directory = new SeriesDirectory(clusters);
    const listing = directory.listVisible();
    assert.equal(listing.next().done, false);
    change(directory, [...clusters.slice(1), listener('a')], 2);
    directory.release(2);
    const blocks = doSteps(listing);
    assert.equal(blocks.length, clusters.length);
    assert.deepEqual(blocks.at(-1)?.labels, { listener: 'a' });
    assert.equal(directory.visible(), blocks);
  });

  it('keeps a block until its last use is removed', () => {
    const directory = new SeriesDirectory([cluster('x')]);
    const find = (): number | undefined => directory.find(pageMetrics.clusterRetries, { cluster: 'x' });
    const slot = find();
    const turn = (added: number, removed: number, generation: number): readonly string[] => {
      const times = (count: number): BlockName[] => Array.from({ length: count }, () => cluster('x'));
      const plan = directory.plan({ added: times(added), removed: times(removed) }, generation);
      plan?.commit();
      return [...plan!.arriving.keys(), ...plan!.leaving];
    };
    assert.deepEqual(turn(2, 0, 2), []);
    assert.deepEqual(turn(1, 2, 3), []);
    assert.deepEqual(turn(0, 1, 4), []);
    assert.equal(find(), slot);
    assert.deepEqual(turn(0, 1, 5), [pageShapes.cluster.keyOf({ cluster: 'x' })]);
    assert.equal(find(), undefined);
    assert.deepEqual(turn(1, 0, 6), [pageShapes.cluster.keyOf({ cluster: 'x' })]);
    assert.equal(find(), slot);
  });

  it('shows a removed series until its generation ends, and again when it returns', () => {
    const directory = new SeriesDirectory([listener('a'), listener('b')]);
    change(directory, [listener('b')], 2);
    assert.deepEqual(shown(directory), ['a', 'b']);
    directory.release(1);
    assert.deepEqual(shown(directory), ['a', 'b']);
    const { version } = directory;
    directory.release(2);
    assert.deepEqual(shown(directory), ['b']);
    assert.ok(directory.version > version);
    change(directory, [listener('a'), listener('b')], 3);
    assert.deepEqual(shown(directory).sort(), ['a', 'b']);
  });

  it('reassigns slots only if no others are free and no worker can write them', () => {
    const directory = new SeriesDirectory([listener('a')]);
    const many = (from: number): BlockName[] =>
      Array.from({ length: Math.floor(directory.capacity / pageShapes.listener.size) - 1 }, (_, index) =>
        listener(`n${from + index}`),
      );
    change(directory, [listener('a'), ...many(0)], 2);
    change(directory, [listener('a')], 3);
    assert.equal(
      planOf(directory, [listener('a'), listener('new')], 4),
      null,
      'workers may still write all slots',
    );
    directory.release(3);
    const plan = planOf(directory, [listener('a'), listener('new')], 4);
    assert.equal(plan?.cleared.length, 1);
    plan.commit();
    const [[start] = [-1]] = plan.cleared;
    assert.equal(directory.slot(pageMetrics.connectionsActive, { listener: 'new' }), start);
    // Slots still in use are never reassigned.
    assert.notEqual(start, directory.slot(pageMetrics.connections, { listener: 'a' }));
  });

  it('never gives the same slots to two series that may be written', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map(listener).concat(['u', 'v', 'w'].map(cluster));
    fc.assert(
      fc.property(
        fc.array(fc.record({ wanted: fc.subarray(names), released: fc.boolean() }), { maxLength: 12 }),
        (changes) => {
          const directory = new SeriesDirectory(names.slice(0, 3));
          let generation = 1;
          for (const { wanted, released } of changes) {
            change(directory, wanted, ++generation);
            if (released) directory.release(generation);
            const used = new Set<number>();
            for (const { shape, slot } of directory.visible()) {
              for (let at = slot; at < slot + shape.size; at++) {
                assert.ok(!used.has(at), `slot ${at} has two blocks`);
                used.add(at);
              }
            }
          }
        },
      ),
    );
  });
});
