import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RandomPool } from '../../../../src/core/random-pool.ts';
import { HeadSampler } from '../../../../src/l7/tracing/head-sampler.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
const head = { method: 'GET', path: '/', query: '', headers: ['traceparent', PARENT] };

function sampler(sample: number, routes: Readonly<Record<string, number>> = {}): HeadSampler {
  return new HeadSampler({ sample, routes }, new RandomPool());
}

describe('head sampling', () => {
  it('continues only the traces of trusted clients', () => {
    const trusted = sampler(1).begin(head, '127.0.0.1', true);
    assert.equal(trusted.parentSpanId, 'b7ad6b7169203331');
    assert.equal(trusted.isSampled, false);
    const stranger = sampler(1).begin(head, '127.0.0.1', false);
    assert.equal(stranger.parentSpanId, null);
    assert.notEqual(stranger.traceId, trusted.traceId);
    assert.equal(stranger.isSampled, true);
  });

  it('gives each request its own ids', () => {
    const own = sampler(0.5);
    const traces = Array.from({ length: 1000 }, () => own.begin({ ...head, headers: [] }, '127.0.0.1', true));
    assert.equal(new Set(traces.map(({ traceId }) => traceId)).size, 1000);
    assert.equal(new Set(traces.map(({ spanId }) => spanId)).size, 1000);
    for (const { traceId, spanId } of traces) {
      assert.match(traceId, /^[\da-f]{32}$/);
      assert.match(spanId, /^[\da-f]{16}$/);
    }
  });

  it("uses the route's fraction, unless the client has decided", () => {
    const own = sampler(0, { chat: 1 });
    const trace = own.begin({ ...head, headers: [] }, '127.0.0.1', true);
    own.routed(trace, 'api');
    assert.equal(trace.isSampled, false);
    own.routed(trace, 'chat');
    assert.equal(trace.isSampled, true);
    const continued = own.begin(head, '127.0.0.1', true);
    own.routed(continued, 'chat');
    assert.equal(continued.isSampled, false);
  });

  it('sends endpoints one valid parent, whatever headers arrive', () => {
    const hex = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefF-')), maxLength: 60 });
    const valid = fc.constantFrom(PARENT, 'a=1', 'a=1,b=2', `${PARENT}-x`, `cc${PARENT.slice(2)}-x`);
    const header = fc.tuple(
      fc.constantFrom('traceparent', 'tracestate', 'x'),
      fc.oneof(valid, hex, fc.string({ unit: 'binary' })),
    );
    fc.assert(
      fc.property(fc.array(header, { maxLength: 5 }), fc.boolean(), (headers, isTrusted) => {
        const trace = sampler(0.5).begin({ ...head, headers: headers.flat() }, '127.0.0.1', isTrusted);
        const told: string[] = [];
        trace.addHeaders(told);
        assert.equal(told[0], 'traceparent');
        assert.match(told[1]!, /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-0[01]$/);
        assert.ok(told.length === 2 || (told.length === 4 && told[2] === 'tracestate'));
        if (told.length === 4) assert.match(told[3]!, /^[\x21-\x7e][\x20-\x7e]{0,511}$/);
        assert.ok(isTrusted || (!trace.isContinued && told.length === 2));
      }),
    );
  });
});
