import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RequestTrace } from '../../../../src/wire/tracing/request-trace.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const OWN = '00f067aa0ba902b7';
const PEER = '127.0.0.1';

function head(...headers: readonly string[]): Parameters<typeof RequestTrace.continued>[0] {
  return { method: 'GET', path: '/', query: '', headers };
}

/** Returns the trace whose random part is this share of its range. */
function traceAt(share: number, part = 0): RequestTrace {
  const random = Math.floor(share * 2 ** 48).toString(16);
  return begun(`${'f'.repeat(18)}${random.padStart(12, '0')}00`, part);
}

function begun(traceId: string, part: number): RequestTrace {
  return RequestTrace.started(Buffer.from(traceId + OWN, 'hex'), PEER, part);
}

function headersOf(trace: RequestTrace): readonly string[] {
  const headers: string[] = [];
  trace.addHeaders(headers);
  return headers;
}

describe('the trace of a request', () => {
  it("continues a trusted client's trace, with the client's span as parent", () => {
    const trace = RequestTrace.continued(
      head('traceparent', `00-${TRACE}-${PARENT}-01`, 'tracestate', 'a=1', 'tracestate', 'b=2'),
      PEER,
      OWN,
    );
    assert.ok(trace !== null);
    const { traceId, spanId, parentSpanId, state, isSampled, isContinued } = trace;
    assert.deepEqual(
      { traceId, spanId, parentSpanId, state, isSampled, isContinued },
      {
        traceId: TRACE,
        spanId: OWN,
        parentSpanId: PARENT,
        state: 'a=1,b=2',
        isSampled: true,
        isContinued: true,
      },
    );
    assert.deepEqual(headersOf(trace), ['traceparent', `00-${TRACE}-${OWN}-01`, 'tracestate', 'a=1,b=2']);
  });

  it('is new without a parent, or with several', () => {
    const parent = `00-${TRACE}-${PARENT}-01`;
    assert.equal(RequestTrace.continued(head(), PEER, OWN), null);
    assert.equal(RequestTrace.continued(head('tracestate', 'a=1'), PEER, OWN), null);
    assert.equal(RequestTrace.continued(head('traceparent', parent, 'traceparent', parent), PEER, OWN), null);
    assert.equal(RequestTrace.continued(head('traceparent', parent.toUpperCase()), PEER, OWN), null);
    const trace = begun(TRACE, 0);
    assert.deepEqual([trace.traceId, trace.spanId, trace.parentSpanId, trace.state], [TRACE, OWN, null, '']);
    assert.deepEqual(headersOf(trace), ['traceparent', `00-${TRACE}-${OWN}-00`]);
  });

  it('is sampled by its ID: a larger fraction includes the traces of a smaller one', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        part,
        part,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (a, b, share) => {
          const trace = traceAt(share);
          trace.sample(Math.min(a, b));
          const bySmall = trace.isSampled;
          trace.sample(Math.max(a, b));
          assert.ok(!bySmall || trace.isSampled);
          trace.sample(a);
          assert.equal(traceAt(share, a).isSampled, trace.isSampled);
          trace.sample(0);
          assert.equal(trace.isSampled, false);
          trace.sample(1);
          assert.equal(trace.isSampled, true);
        },
      ),
    );
  });

  it('is sampled as often as the fraction says', () => {
    let sampled = 0;
    for (let index = 0; index < 1000; index++) {
      const trace = traceAt(index / 1000);
      trace.sample(0.25);
      if (trace.isSampled) sampled++;
    }
    assert.equal(sampled, 250);
  });
});
