/** A listener's decision on each request under one configuration. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { HANDSHAKE, SILENT_BODY, exchangeOf } from './exchanges.ts';
import { UNCHANGED, listener, respond, routeOf, to } from './world.ts';

describe('a request that is refused before routing', () => {
  const several = [
    ['x-tier', 'gold'],
    ['x-tier', 'tin'],
  ] as const;
  const refusals = [
    { name: 'an underscore in a name', reason: 'bad_header', headers: [['x_a', '1']] },
    {
      name: 'two host headers',
      reason: 'bad_host',
      headers: [
        ['host', 'a'],
        ['host', 'b'],
      ],
    },
    { name: 'a bad host', reason: 'bad_host', headers: [['host', 'a b']] },
    { name: 'a malformed path', reason: 'bad_target', target: '/a%2' },
    { name: 'a malformed query', reason: 'bad_target', target: '/?a b' },
    { name: 'several lines of a header that a route asks for', reason: 'condition', headers: several },
    { name: 'a path of two meanings', reason: 'ambiguous_path', target: '/public/..%2fadmin' },
  ] as const;
  const routes = [
    routeOf('tier', { headers: new Map([['x-tier', 'gold']]) }, respond('gold')),
    routeOf('admin', { pathPrefix: '/admin' }, respond('admin')),
    routeOf('rest', { pathPrefix: '/' }, respond('rest')),
  ];
  const strict = { underscoreHeaders: 'refuse' } as const;

  for (const { name, reason, ...wanted } of refusals) {
    it(`is refused with 400, and its connection is closed: ${name}`, () => {
      const { take, sum } = listener({ routes, listener: strict });
      const { reply } = take(wanted);
      assert.deepEqual([reply.status, reply.closes], [400, true]);
      assert.equal(sum(pageMetrics.httpRefusals, { reason }), 1);
      assert.equal(sum(pageMetrics.httpRefusals), 1);
      assert.equal(sum(pageMetrics.httpRequests, { route: 'none', code: '4xx' }), 1);
      assert.equal(sum(pageMetrics.handshakeFailures), 0);
    });

    it(`counts as a failed handshake if it is one: ${name}`, () => {
      const { take, sum } = listener({ routes, listener: strict });
      const headers = [...HANDSHAKE, ...('headers' in wanted ? wanted.headers : [])];
      const { reply } = take({ ...wanted, headers });
      assert.deepEqual([reply.status, reply.closes], [400, true]);
      const failure = reason === 'ambiguous_path' ? reason : 'bad_request';
      assert.equal(sum(pageMetrics.handshakeFailures, { reason: failure }), 1);
      assert.equal(sum(pageMetrics.httpRefusals), 0);
    });
  }

  for (const [method, status] of [
    ['CONNECT', 400],
    ['connect', 400],
    ['TRACE', 405],
    ['Trace', 405],
  ] as const) {
    it(`is refused with ${status}, and its connection is closed: ${method}`, () => {
      const { take, sum } = listener({ routes });
      const { reply } = take({ method });
      assert.deepEqual([reply.status, reply.closes], [status, true]);
      assert.equal(reply.header('Allow') !== undefined, status === 405);
      assert.equal(sum(pageMetrics.httpRefusals, { reason: 'bad_method' }), 1);
    });
  }

  it('is refused with 414 if its path is too long for a regular expression', () => {
    const { take, sum } = listener({ routes: [routeOf('any', { pathRegex: '/.*' }, respond('any'))] });
    const { reply } = take({ target: `/${'a'.repeat(8 * 1024)}` });
    assert.deepEqual([reply.status, reply.closes], [414, false]);
    assert.equal(sum(pageMetrics.httpRefusals, { reason: 'bad_target' }), 1);
  });

  it('is refused with 404 without a route, and the connection stays open', () => {
    const { take, sum } = listener({ routes: [routeOf('a', { pathPrefix: '/a' }, respond('a'))] });
    const { reply } = take({ target: '/b' });
    assert.deepEqual([reply.status, reply.closes], [404, false]);
    assert.equal(sum(pageMetrics.httpRequests, { route: 'none', code: '4xx' }), 1);
    assert.equal(take({ target: '/b', headers: HANDSHAKE }).reply.status, 404);
    assert.equal(sum(pageMetrics.handshakeFailures, { reason: 'no_route' }), 1);
  });

  it('closes its connection after 404 if its body has no known end', () => {
    const { take } = listener({ routes: [] });
    const chunked = [['transfer-encoding', 'chunked']] as const;
    assert.equal(take({ method: 'POST', headers: chunked, body: SILENT_BODY }).reply.closes, true);
  });
});

describe('the choice of a route', () => {
  it('takes the first route whose conditions are true', () => {
    const { take } = listener({
      routes: [
        routeOf('host', { hosts: ['other.example'] }, respond('host')),
        routeOf('path', { pathPrefix: '/a' }, respond('path')),
        routeOf('query', { query: new Map([['k', 'v']]) }, respond('query')),
        routeOf('protocol', { subprotocol: 'chat' }, respond('protocol')),
        routeOf('rest', {}, respond('rest')),
      ],
    });
    const offer = ['sec-websocket-protocol', 'chat'] as const;
    assert.equal(take({ target: '/a', headers: [['host', 'other.example']] }).reply.body, 'host');
    assert.equal(take({ target: '/a?k=v' }).reply.body, 'path');
    assert.equal(take({ target: '/?k=v' }).reply.body, 'query');
    assert.equal(take({ headers: [...HANDSHAKE, offer] }).reply.body, 'protocol');
    // Only handshakes offer subprotocols.
    assert.equal(take({ headers: [offer] }).reply.body, 'rest');
  });

  it('accepts an ambiguous path if its routes differ only in their names', () => {
    const path = '/public/..%2fadmin';
    const { take } = listener({
      routes: [
        routeOf('admin', { pathPrefix: '/admin' }, respond('same')),
        routeOf('rest', {}, respond('same')),
      ],
    });
    assert.equal(take({ target: path }).reply.body, 'same');
  });

  it("applies the route's edits to every answer", () => {
    const response = { ...UNCHANGED, set: new Map([['x-frame-options', 'DENY']]) };
    const changed = { ...routeOf('a', {}, respond('a')), headers: { request: UNCHANGED, response } };
    const { reply } = listener({ routes: [changed] }).take({});
    assert.deepEqual(reply.edits.added, ['x-frame-options', 'DENY']);
  });

  it("removes a client's certificate header before routes are matched", () => {
    const told = routeOf('told', { headers: new Map([['x-forwarded-client-cert', 'a']]) }, respond('told'));
    const routes = [told, routeOf('rest', {}, respond('rest'))];
    for (const listenerSettings of [
      {},
      { underscoreHeaders: 'pass', trustedProxies: ['0.0.0.0/0'] },
    ] as const) {
      const { take } = listener({ routes, listener: listenerSettings });
      assert.equal(take({ headers: [['x-forwarded-client-cert', 'a']] }).reply.body, 'rest');
    }
  });

  it('matches a route by the certificate of the connection', () => {
    const condition = { subject: 'CN=alice', san: null, fingerprint: null };
    const routes = [
      routeOf('alice', { clientCertificate: condition }, respond('alice')),
      routeOf('rest', {}, respond('rest')),
    ];
    const { dispatcher } = listener({ routes });
    const bodyFor = (subject: string | null): string | undefined => {
      const exchange = exchangeOf();
      const certificate = subject === null ? null : { subject, fingerprint: '', names: [] };
      dispatcher.dispatch({ ...exchange, facts: { ...exchange.facts, certificate } });
      return exchange.reply.body;
    };
    assert.deepEqual(['CN=alice', 'CN=bob', null].map(bodyFor), ['alice', 'rest', 'rest']);
  });

  it('removes underscore headers before routes are matched', () => {
    const routes = [
      routeOf('wanted', { headers: new Map([['x-a', '1']]) }, respond('wanted')),
      routeOf('rest', {}, respond('rest')),
    ];
    const { take } = listener({ routes });
    const exchange = take({ headers: [['x_a', '1']] });
    assert.equal(exchange.reply.body, 'rest');
    assert.deepEqual(exchange.head.headers, ['host', 'example.com']);
  });

  it('counts a handshake that is answered by a route without an endpoint', () => {
    const { take, sum } = listener({ routes: [routeOf('a', {}, respond('hello'))] });
    assert.equal(take({ headers: HANDSHAKE }).reply.body, 'hello');
    assert.equal(sum(pageMetrics.handshakeFailures, { reason: 'not_websocket' }), 1);
    assert.equal(sum(pageMetrics.httpRequests, { route: 'a', code: '2xx' }), 1);
  });
});

describe('a route to a cluster', () => {
  it('turns a handshake into an upgrade, and other requests into proxied requests', () => {
    const { take, dispatcher, requests, dialled } = listener({ routes: [routeOf('a', {}, to('app'))] });
    take({ headers: HANDSHAKE });
    const [context] = dispatcher.contexts;
    assert.deepEqual([context!.pending.size, requests.size], [1, 0]);
    take({});
    assert.deepEqual([context!.pending.size, requests.size], [1, 1]);
    assert.deepEqual(dialled, ['app', 'app']);
  });

  it('refuses handshakes while the listener drains', () => {
    const { take, dispatcher, sum } = listener({ routes: [routeOf('a', {}, to('app'))] });
    dispatcher.draining = true;
    assert.equal(take({ headers: HANDSHAKE }).reply.status, 503);
    assert.equal(sum(pageMetrics.handshakeFailures, { reason: 'draining' }), 1);
    dispatcher.draining = false;
    assert.equal(take({ headers: HANDSHAKE }).reply.status, 0);
  });

  it('takes no share of the handshake places if it allows no upgrades', () => {
    const never = routeOf('b', { pathPrefix: '/b' }, to('other', 'never'));
    const { take, dialled } = listener({
      routes: [never, routeOf('a', {}, to('app'))],
      listener: { maxPendingHandshakes: 2 },
      clusters: [clusterConfig(), clusterConfig({ name: 'other' })],
    });
    take({ headers: HANDSHAKE });
    take({ headers: HANDSHAKE });
    assert.deepEqual(dialled, ['app', 'app']);
    take({ headers: HANDSHAKE });
    assert.equal(dialled.length, 2);
  });

  it('demands a WebSocket upgrade if it allows nothing else', () => {
    const { take } = listener({ routes: [routeOf('a', {}, to('app', 'only'))] });
    assert.equal(take({}).reply.status, 426);
  });
});

describe('open requests', () => {
  it('are counted until the engine reports their end', () => {
    const { take, dispatcher } = listener({ routes: [routeOf('a', {}, respond('a'))] });
    const [first, second] = [take({}), take({ headers: [['x_y', '']] })];
    assert.equal(dispatcher.open, 2);
    dispatcher.over(first);
    dispatcher.over(second);
    assert.equal(dispatcher.open, 0);
  });

  it('count as in flight under their route for as long', () => {
    const { take, dispatcher, sum } = listener({ routes: [routeOf('a', {}, to('app'))] });
    const exchange = take({});
    assert.equal(sum(pageMetrics.httpRequestsActive, { route: 'a' }), 1);
    dispatcher.over(exchange);
    assert.equal(sum(pageMetrics.httpRequestsActive, { route: 'a' }), 0);
  });
});

describe("the identity of a request's sender", () => {
  const told = [['x-forwarded-for', '203.0.113.9']] as const;

  it('is the peer, unless the peer is a trusted proxy', () => {
    const { dispatcher } = listener({ routes: [], listener: { trustedProxies: ['10.0.0.0/8'] } });
    const { head } = exchangeOf({ headers: told });
    const addressOf = (peer: string): string =>
      dispatcher.identify(head, { peer, port: 80, secure: false, certificate: null, vpcEndpointId: null })
        .address;
    assert.equal(addressOf('192.0.2.7'), '192.0.2.7');
    assert.equal(addressOf('10.1.2.3'), '203.0.113.9');
  });
});

describe('a route that cannot be served', () => {
  const lost = routeOf('lost', { pathPrefix: '/lost' }, to('app'));
  const routes = [lost, routeOf('rest', {}, respond('rest'))];

  it('refuses only its own requests with 503', () => {
    const world = listener({ routes });
    // Nothing of a route is made before its first request.
    const { take } = listener(
      { routes },
      { ...world, clusters: { get: () => undefined, hashHeader: () => null } },
    );
    assert.equal(take({ target: '/lost' }).reply.status, 503);
    assert.equal(take({ target: '/lost', headers: HANDSHAKE }).reply.status, 503);
    assert.equal(take({ target: '/other' }).reply.status, 200);
  });
});
