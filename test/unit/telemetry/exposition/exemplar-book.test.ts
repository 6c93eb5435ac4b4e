import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExemplarBook } from '../../../../src/telemetry/exposition/exemplar-book.ts';
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
    const book = new ExemplarBook();
    assert.equal(book.isEmpty, true);
    book.record(METRIC, labelsOf('app'), BOUNDS[2]!, A, 1000);
    book.record(METRIC, labelsOf('app'), 99, B, 2000);
    assert.equal(book.isEmpty, false);
    const exemplars = book.of(METRIC, keyOf('app'))!;
    assert.equal(exemplars.length, BOUNDS.length + 1);
    assert.deepEqual(exemplars[2], { value: BOUNDS[2]!, traceId: A, at: 1000 });
    assert.deepEqual(exemplars[BOUNDS.length], { value: 99, traceId: B, at: 2000 });
    assert.equal(exemplars.filter((exemplar) => exemplar !== undefined).length, 2);
    assert.equal(book.of(METRIC, keyOf('other')), undefined);
    assert.equal(book.of(pageMetrics.sessionDuration, keyOf('app')), undefined);
  });

  it('stay if an older observation of the same bucket arrives later', () => {
    const book = new ExemplarBook();
    const traces = (): (string | undefined)[] => [book.of(METRIC, keyOf('app'))![0]?.traceId];
    book.record(METRIC, labelsOf('app'), 0, A, 2000);
    book.record(METRIC, labelsOf('app'), 0, B, 1999);
    assert.deepEqual(traces(), [A]);
    book.record(METRIC, labelsOf('app'), 0, B, 2000);
    assert.deepEqual(traces(), [B]);
  });

  it('ignore invalid values and trace ids, and metrics that are not histograms', () => {
    const book = new ExemplarBook();
    const bad = [
      [NaN, A],
      [Infinity, A],
      [1, ''],
      [1, `${A}"`],
      [1, A.toUpperCase()],
    ] as const;
    for (const [value, traceId] of bad) book.record(METRIC, labelsOf('app'), value, traceId, 1000);
    book.record(pageMetrics.sessions, { listener: 'web', route: 'r', cluster: 'app' }, 1, A, 1000);
    assert.equal(book.isEmpty, true);
  });

  it('are limited, and the least recently updated series is evicted', () => {
    const book = new ExemplarBook(2);
    for (const cluster of ['first', 'second', 'first', 'third']) {
      book.record(METRIC, labelsOf(cluster), 1, A, 1000);
    }
    const known = ['first', 'second', 'third'].filter(
      (cluster) => book.of(METRIC, keyOf(cluster)) !== undefined,
    );
    assert.deepEqual(known, ['first', 'third']);
  });

  it('are removed with the series', () => {
    const book = new ExemplarBook();
    for (const cluster of ['stays', 'goes']) book.record(METRIC, labelsOf(cluster), 1, A, 1000);
    book.forgetUnless((key) => key === keyOf('stays'));
    assert.notEqual(book.of(METRIC, keyOf('stays')), undefined);
    assert.equal(book.of(METRIC, keyOf('goes')), undefined);
    book.forgetUnless(() => false);
    assert.equal(book.isEmpty, true);
  });
});
