import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomPool } from '../../../../src/core/random-pool.ts';
import { HeadSampler } from '../../../../src/l7/tracing/head-sampler.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
const head = { method: 'GET', path: '/', query: '', headers: ['traceparent', PARENT] };

function sampler(sample: number, routes: Readonly<Record<string, number>> = {}): HeadSampler {
  return new HeadSampler({ sample, routes }, new RandomPool());
}

describe('head sampling', () => {
  it('continues the trace of a trusted client alone', () => {
    const trusted = sampler(1).begin(head, '127.0.0.1', true);
    assert.equal(trusted.parentSpanId, 'b7ad6b7169203331');
    assert.equal(trusted.isSampled, false);
    const stranger = sampler(1).begin(head, '127.0.0.1', false);
    assert.equal(stranger.parentSpanId, null);
    assert.notEqual(stranger.traceId, trusted.traceId);
    assert.equal(stranger.isSampled, true);
  });

  it('gives each request ids of its own', () => {
    const own = sampler(0.5);
    const traces = Array.from({ length: 1000 }, () => own.begin({ ...head, headers: [] }, '127.0.0.1', true));
    assert.equal(new Set(traces.map(({ traceId }) => traceId)).size, 1000);
    assert.equal(new Set(traces.map(({ spanId }) => spanId)).size, 1000);
    for (const { traceId, spanId } of traces) {
      assert.match(traceId, /^[\da-f]{32}$/);
      assert.match(spanId, /^[\da-f]{16}$/);
    }
  });

  it('takes the part of the route, unless the client has decided', () => {
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
});
