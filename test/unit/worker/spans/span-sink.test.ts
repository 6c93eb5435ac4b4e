import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as conventions from '@opentelemetry/semantic-conventions';
import type { SpanRecord } from '../../../../src/protocol/spans.ts';
import type {
  RequestFacts,
  RequestEnd,
  SessionEnd,
  SpanFacts,
  Trace,
} from '../../../../src/telemetry/journal/entries.ts';
import { SpanSink } from '../../../../src/worker/spans/span-sink.ts';

const TRACE: Trace = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: '00f067aa0ba902b7',
  parentSpanId: null,
  state: '',
  isSampled: true,
};
const SPAN: SpanFacts = {
  trace: TRACE,
  method: 'GET',
  scheme: 'https',
  version: '1.1',
  peer: '10.0.0.1',
  attempts: 2,
  startedAt: 1000,
};
const REQUEST_FACTS: RequestFacts = {
  client: '203.0.113.7',
  requestId: 'id-1',
  traceId: TRACE.traceId,
  principal: undefined,
  certSubject: undefined,
  certFingerprint: undefined,
  vpcEndpointId: undefined,
  host: 'app.example:8443',
  path: '/chat',
  origin: undefined,
  userAgent: 'curl/8',
  referer: undefined,
  isHttp10: false,
};
const PLACE = {
  listener: 'web',
  route: 'app',
  cluster: 'app',
  endpoint: '127.0.0.1:9001',
  requestFacts: REQUEST_FACTS,
};
const REQUEST: RequestEnd = {
  ...PLACE,
  method: 'GET',
  status: 200,
  reason: undefined,
  cause: undefined,
  detail: undefined,
  cut: undefined,
  received: 0,
  sent: 5,
  seconds: 0.25,
  span: SPAN,
};
const END: SessionEnd = {
  side: 'client',
  code: 1000,
  reason: undefined,
  seconds: 2,
  messagesUpstream: 1,
  messagesDownstream: 2,
  bytesUpstream: 3,
  bytesDownstream: 4,
};

/** Returns the spans of what is told. */
function spansOf(tell: (sink: SpanSink) => void, admits = true): readonly SpanRecord[] {
  const spans: SpanRecord[] = [];
  tell(new SpanSink({ admits: () => admits, add: (span) => void spans.push(span) }));
  return spans;
}

function spanOfRequest(end: Partial<RequestEnd>): SpanRecord {
  return spansOf((sink) => sink.request({ ...REQUEST, ...end }))[0]!;
}

describe('the span of a request', () => {
  it('has the names of the semantic conventions, and our own', () => {
    const span = spanOfRequest({});
    assert.deepEqual(span, {
      traceId: TRACE.traceId,
      spanId: TRACE.spanId,
      parentSpanId: null,
      traceState: '',
      isSampled: true,
      name: 'GET app',
      startedAt: 1000,
      endedAt: 1250,
      failure: null,
      attributes: {
        'http.request.method': 'GET',
        'url.scheme': 'https',
        'url.path': '/chat',
        'network.protocol.version': '1.1',
        'network.peer.address': '10.0.0.1',
        'client.address': '203.0.113.7',
        'user_agent.original': 'curl/8',
        'server.address': 'app.example',
        'server.port': 8443,
        'sluice.request_id': 'id-1',
        'sluice.listener': 'web',
        'sluice.route': 'app',
        'sluice.cluster': 'app',
        'sluice.endpoint': '127.0.0.1:9001',
        'sluice.attempts': 2,
        'http.response.status_code': 200,
        'http.request.body.size': 0,
        'http.response.body.size': 5,
      },
      events: [],
    });
    const known = new Set<unknown>(Object.values(conventions));
    // Names that the package does not have as stable yet.
    const incubating = ['http.request.body.size', 'http.response.body.size'];
    for (const name of Object.keys(span.attributes)) {
      assert.ok(known.has(name) || incubating.includes(name) || name.startsWith('sluice.'), name);
    }
  });

  it('has no path if none was read', () => {
    const { attributes } = spanOfRequest({ requestFacts: { ...REQUEST_FACTS, path: undefined } });
    assert.equal('url.path' in attributes, false);
  });

  it('has the requested host, and an IPv6 address without brackets', () => {
    const placeOf = (host: string): unknown[] => {
      const { attributes } = spanOfRequest({ requestFacts: { ...REQUEST_FACTS, host } });
      return [attributes['server.address'], attributes['server.port']];
    };
    assert.deepEqual(placeOf('[2001:db8::1]:8443'), ['2001:db8::1', 8443]);
    assert.deepEqual(placeOf('[::1]'), ['::1', 443]);
    assert.deepEqual(placeOf('app.example'), ['app.example', 443]);
  });

  it('fails on 5xx and on a cut, but not on 4xx', () => {
    assert.equal(spanOfRequest({ status: 404, detail: 'no route' }).failure, null);
    const failed = spanOfRequest({ status: 503, reason: 'overload', detail: 'too many' });
    assert.deepEqual([failed.failure, failed.attributes['error.type']], ['too many', '503']);
    const cut = spanOfRequest({ cut: 'endpoint' });
    assert.deepEqual([cut.failure, cut.attributes['error.type']], ['response cut: endpoint', 'endpoint']);
  });

  it('has a limited set of names, whatever methods clients send', () => {
    const span = spanOfRequest({ span: { ...SPAN, method: 'BREW' } });
    assert.equal(span.name, 'HTTP app');
    assert.equal(span.attributes['http.request.method'], '_OTHER');
    assert.equal(span.attributes['http.request.method_original'], 'BREW');
    assert.equal(spanOfRequest({ route: 'none' }).name, 'GET');
  });

  it('says that it was kept because of a failure', () => {
    const span = spanOfRequest({ status: 502, span: { ...SPAN, trace: { ...TRACE, isSampled: false } } });
    assert.equal(span.attributes['sluice.sampled_by'], 'failure');
    assert.equal(span.isSampled, false);
  });

  it('is not created without a trace, or if the outbox is full', () => {
    assert.deepEqual(
      spansOf((sink) => sink.request({ ...REQUEST, span: undefined })),
      [],
    );
    assert.deepEqual(
      spansOf((sink) => sink.request(REQUEST), false),
      [],
    );
  });
});

describe('the span of a refused handshake', () => {
  it('has the reason as the type of its error', () => {
    const refusal = { ...REQUEST, reason: 'connect_failed', subprotocol: 'chat' };
    const [span] = spansOf((sink) =>
      sink.handshakeRefused({ ...refusal, status: 502, detail: 'no endpoint' }),
    );
    assert.equal(span?.failure, 'no endpoint');
    assert.equal(span.attributes['error.type'], 'connect_failed');
    assert.equal(span.attributes['sluice.reason'], 'connect_failed');
    assert.equal(span.attributes['sluice.websocket.subprotocols_offered'], 'chat');
  });
});

describe('the span of a session', () => {
  const start = { ...PLACE, subprotocol: 'chat', handshakeSeconds: 0.5, span: SPAN };

  it('lasts from the request to the end, and has the counts', () => {
    const [span] = spansOf((sink) =>
      sink.session(start, END, [{ name: 'evicted', at: 3000, reason: 'rebalance' }]),
    );
    assert.equal(span?.endedAt, 1000 + 500 + 2000);
    assert.equal(span.failure, null);
    assert.deepEqual(span.events, [
      { name: 'sluice.websocket.opened', at: 1500, attributes: {} },
      { name: 'sluice.websocket.evicted', at: 3000, attributes: { 'sluice.reason': 'rebalance' } },
    ]);
    assert.equal(span.attributes['http.response.status_code'], 101);
    const own = Object.entries(span.attributes).filter(([name]) => name.startsWith('sluice.websocket.'));
    assert.deepEqual(Object.fromEntries(own), {
      'sluice.websocket.subprotocol': 'chat',
      'sluice.websocket.handshake_seconds': 0.5,
      'sluice.websocket.close.code': 1000,
      'sluice.websocket.close.side': 'client',
      'sluice.websocket.seconds': 2,
      'sluice.websocket.messages.upstream': 1,
      'sluice.websocket.messages.downstream': 2,
      'sluice.websocket.bytes.upstream': 3,
      'sluice.websocket.bytes.downstream': 4,
    });
  });

  it('fails on an abnormal close', () => {
    const [span] = spansOf((sink) => sink.session(start, { ...END, side: 'endpoint', code: 1006 }, []));
    assert.equal(span?.failure, 'closed by the endpoint with 1006');
    assert.equal(span.attributes['error.type'], '1006');
  });
});
