/** Spans of workers for tests of the primary. */
import type { SpanRecord } from '../../../../src/protocol/spans.ts';

/** Returns the record of a span. @param number tells it from others */
export function spanRecord(number = 1, record: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: number.toString(16).padStart(16, '0'),
    parentSpanId: null,
    traceState: '',
    isSampled: true,
    name: 'GET',
    startedAt: 1_700_000_000_000.25,
    endedAt: 1_700_000_000_001.5,
    failure: null,
    attributes: { 'http.request.method': 'GET' },
    events: [],
    ...record,
  };
}
