import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { slotCount, type SeriesName } from '../../../src/telemetry/page-layout.ts';
import { SeriesDirectory } from '../../../src/telemetry/series-directory.ts';

const connections = (listener: string): SeriesName => ({
  metric: pageMetrics.connections,
  labels: { listener },
});
const duration = (cluster: string): SeriesName => ({
  metric: pageMetrics.endpointConnectDuration,
  labels: { cluster },
});

function change(directory: SeriesDirectory, wanted: readonly SeriesName[], generation: number): void {
  const plan = directory.plan(wanted, generation);
  assert.ok(plan !== null);
  plan.commit();
}

const shown = (directory: SeriesDirectory): string[] =>
  directory.visible().map(({ labels }) => Object.values(labels).join());

describe('the directory of series', () => {
  it('keeps the slots of a series when others come and go, and when it comes back', () => {
    const directory = new SeriesDirectory([connections('a'), duration('x'), connections('b')]);
    const slotOf = (listener: string): number => directory.slot(pageMetrics.connections, { listener });
    const [a, b] = [slotOf('a'), slotOf('b')];
    change(directory, [connections('c'), connections('b')], 2);
    assert.equal(slotOf('b'), b);
    assert.throws(() => slotOf('a'), RangeError);
    assert.equal(directory.find(pageMetrics.connections, { listener: 'a' }), undefined);
    change(directory, [connections('a'), connections('b'), connections('c')], 3);
    assert.equal(slotOf('a'), a);
    assert.equal(new Set([slotOf('a'), slotOf('b'), slotOf('c')]).size, 3);
  });

  it('changes nothing before a plan is brought into force', () => {
    const directory = new SeriesDirectory([connections('a')]);
    const { version, table } = directory;
    assert.ok(directory.plan([connections('b')], 2) !== null);
    assert.deepEqual([directory.version, directory.table, shown(directory)], [version, table, ['a']]);
  });

  it('shows a removed series until its generation has ended, and again when it is back', () => {
    const directory = new SeriesDirectory([connections('a'), connections('b')]);
    change(directory, [connections('b')], 2);
    assert.deepEqual(shown(directory), ['a', 'b']);
    directory.release(1);
    assert.deepEqual(shown(directory), ['a', 'b']);
    const { version } = directory;
    directory.release(2);
    assert.deepEqual(shown(directory), ['b']);
    assert.ok(directory.version > version);
    change(directory, [connections('a'), connections('b')], 3);
    assert.deepEqual(shown(directory).sort(), ['a', 'b']);
  });

  it('gives slots to other series only without other free slots, and if no worker can write them', () => {
    const directory = new SeriesDirectory([connections('a')]);
    const many = (from: number): SeriesName[] =>
      Array.from({ length: directory.capacity - 1 }, (_, index) => connections(`n${from + index}`));
    change(directory, [connections('a'), ...many(0)], 2);
    change(directory, [connections('a')], 3);
    assert.equal(directory.plan([connections('a'), connections('new')], 4), null, 'all may be written yet');
    directory.release(3);
    const plan = directory.plan([connections('a'), connections('new')], 4);
    assert.equal(plan?.cleared.length, 1);
    plan.commit();
    const [[start] = [-1]] = plan.cleared;
    assert.equal(directory.slot(pageMetrics.connections, { listener: 'new' }), start);
    // What is in use is never given away.
    assert.notEqual(start, directory.slot(pageMetrics.connections, { listener: 'a' }));
  });

  it('never gives two series of a generation, nor one that may still be written, the same slots', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map(connections).concat(['u', 'v', 'w'].map(duration));
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
            for (const { metric, slot } of directory.visible()) {
              for (let at = slot; at < slot + slotCount(metric); at++) {
                assert.ok(!used.has(at), `slot ${at} has two series`);
                used.add(at);
              }
            }
          }
        },
      ),
    );
  });
});
