import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import fc from 'fast-check';
import { RecordSpan } from '../../../../src/primary/tracing/record-span.ts';
import type { SpanRecord } from '../../../../src/protocol/spans.ts';
import { spanRecord } from './spans.ts';

const ORIGIN = { resource: emptyResource(), scope: { name: 'sluice' } };

function spanOf(record: Partial<SpanRecord> = {}): RecordSpan {
  return new RecordSpan(spanRecord(1, record), ORIGIN);
}

describe('a span for the SDK', () => {
  it('is the span of a server, with the times of the record', () => {
    const span = spanOf();
    assert.equal(span.kind, SpanKind.SERVER);
    assert.deepEqual(span.startTime, [1_700_000_000, 250_000]);
    assert.deepEqual(span.endTime, [1_700_000_000, 1_500_000]);
    assert.deepEqual(span.duration, [0, 1_250_000]);
    assert.equal(span.parentSpanContext, undefined);
    assert.deepEqual(span.status, { code: SpanStatusCode.UNSET });
  });

  it("has the client's parent and state", () => {
    const span = spanOf({ parentSpanId: 'b7ad6b7169203331', traceState: 'a=1,b=2' });
    assert.equal(span.parentSpanContext?.spanId, 'b7ad6b7169203331');
    assert.equal(span.parentSpanContext.isRemote, true);
    assert.equal(span.spanContext().traceState?.serialize(), 'a=1,b=2');
  });

  it('is an error if it failed, and is exported even if its trace was not sampled', () => {
    const span = spanOf({ failure: 'no endpoint', isSampled: false });
    assert.deepEqual(span.status, { code: SpanStatusCode.ERROR, message: 'no endpoint' });
    assert.equal(span.spanContext().traceFlags, TraceFlags.SAMPLED);
  });

  it('has times in order and within their ranges, for any clock', () => {
    const time = fc.double({ min: 0, max: 4e12, noNaN: true });
    fc.assert(
      fc.property(time, time, (startedAt, endedAt) => {
        const span = spanOf({ startedAt, endedAt });
        for (const [seconds, nanos] of [span.startTime, span.endTime, span.duration]) {
          assert.ok(Number.isSafeInteger(seconds) && seconds >= 0);
          assert.ok(Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9);
        }
        const [from, to] = [span.startTime, span.endTime];
        assert.ok(to[0] > from[0] || (to[0] === from[0] && to[1] >= from[1]));
      }),
    );
  });
});
