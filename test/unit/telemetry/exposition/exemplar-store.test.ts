import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExemplarStore } from '../../../../src/telemetry/exposition/exemplar-store.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../../src/telemetry/metrics/page-shapes.ts';

const METRIC = pageMetrics.handshakeDuration;
const BOUNDS = METRIC.buckets!;
const A = 'a'.repeat(32);
const B = 'b'.repeat(32);

function labelsOf(cluster: string): { listener: string; cluster: string } {
  return { listener: 'web', cluster };
}

function keyOf(cluster: string): string {
  return pageShapes.handshakes.keyOf(labelsOf(cluster));
}

describe('the exemplars of a series', () => {
  it("are the newest observation of each bucket, by the same bucket rule as the worker's", () => {
    const exemplarStore = new ExemplarStore();
    assert.equal(exemplarStore.isEmpty, true);
    exemplarStore.record(METRIC, labelsOf('app'), BOUNDS[2]!, A, 1000);
    exemplarStore.record(METRIC, labelsOf('app'), 99, B, 2000);
    assert.equal(exemplarStore.isEmpty, false);
    const exemplars = exemplarStore.of(METRIC, keyOf('app'))!;
    assert.equal(exemplars.length, BOUNDS.length + 1);
    assert.deepEqual(exemplars[2], { value: BOUNDS[2]!, traceId: A, at: 1000 });
    assert.deepEqual(exemplars[BOUNDS.length], { value: 99, traceId: B, at: 2000 });
    assert.equal(exemplars.filter((exemplar) => exemplar !== undefined).length, 2);
    assert.equal(exemplarStore.of(METRIC, keyOf('other')), undefined);
    assert.equal(exemplarStore.of(pageMetrics.sessionDuration, keyOf('app')), undefined);
  });

  it('stay if an older observation of the same bucket arrives later', () => {
    const exemplarStore = new ExemplarStore();
    const traces = (): (string | undefined)[] => [exemplarStore.of(METRIC, keyOf('app'))![0]?.traceId];
    exemplarStore.record(METRIC, labelsOf('app'), 0, A, 2000);
    exemplarStore.record(METRIC, labelsOf('app'), 0, B, 1999);
    assert.deepEqual(traces(), [A]);
    exemplarStore.record(METRIC, labelsOf('app'), 0, B, 2000);
    assert.deepEqual(traces(), [B]);
  });

  it('ignore invalid values and trace ids, and metrics that are not histograms', () => {
    const exemplarStore = new ExemplarStore();
    const bad = [
      [NaN, A],
      [Infinity, A],
      [1, ''],
      [1, `${A}"`],
      [1, A.toUpperCase()],
    ] as const;
    for (const [value, traceId] of bad) exemplarStore.record(METRIC, labelsOf('app'), value, traceId, 1000);
    exemplarStore.record(pageMetrics.sessions, { listener: 'web', route: 'r', cluster: 'app' }, 1, A, 1000);
    assert.equal(exemplarStore.isEmpty, true);
  });

  it('are limited, and the least recently updated series is evicted', () => {
    const exemplarStore = new ExemplarStore(2);
    for (const cluster of ['first', 'second', 'first', 'third']) {
      exemplarStore.record(METRIC, labelsOf(cluster), 1, A, 1000);
    }
    const known = ['first', 'second', 'third'].filter(
      (cluster) => exemplarStore.of(METRIC, keyOf(cluster)) !== undefined,
    );
    assert.deepEqual(known, ['first', 'third']);
  });

  it('are removed with the series', () => {
    const exemplarStore = new ExemplarStore();
    for (const cluster of ['stays', 'goes']) exemplarStore.record(METRIC, labelsOf(cluster), 1, A, 1000);
    exemplarStore.forgetUnless((key) => key === keyOf('stays'));
    assert.notEqual(exemplarStore.of(METRIC, keyOf('stays')), undefined);
    assert.equal(exemplarStore.of(METRIC, keyOf('goes')), undefined);
    exemplarStore.forgetUnless(() => false);
    assert.equal(exemplarStore.isEmpty, true);
  });
});
