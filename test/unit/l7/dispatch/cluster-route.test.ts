/** The requests that a route to a cluster sends upstream, and its own refusals. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';
import { l7Listener } from '../../primary/fixtures/config.ts';
import { journalOf, type JournalLine } from '../../../support/journals.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { route } from './cluster-route-rig.ts';
import { HANDSHAKE, SILENT_BODY, exchangeOf, type FakeExchange } from './exchanges.ts';

const handshake = (target = '/', more: readonly (readonly [string, string])[] = []): FakeExchange =>
  exchangeOf({ target, headers: [...HANDSHAKE, ...more] });

describe('the upgrade policy of a route', () => {
  for (const [upgrade, wants, expected] of [
    ['only', 'handshake', 'upgrade started, client there'],
    ['also', 'handshake', 'upgrade started, client there'],
    ['never', 'handshake', 'request started'],
    ['also', 'request', 'request started'],
    ['never', 'request', 'request started'],
  ] as const) {
    it(`${upgrade}: turns a ${wants} into ${expected.split(' ')[0]}s`, () => {
      const { take, done } = route({ upgrade });
      const exchange = take(wants === 'handshake' ? handshake() : exchangeOf());
      assert.deepEqual(done, [expected]);
      assert.equal(exchange.reply.status, 0);
    });
  }

  it('only: refuses a plain request with 426 and the required protocol', () => {
    const { take, done, counted } = route({ upgrade: 'only' });
    const { reply } = take(exchangeOf());
    assert.deepEqual([reply.status, reply.closes], [426, false]);
    assert.equal(reply.header('Upgrade'), 'websocket');
    assert.deepEqual(counted, ['answered 426']);
    assert.deepEqual(done, []);
  });
});

describe('a handshake', () => {
  it('is refused with 400 if it is malformed', () => {
    const { take, done, counted } = route();
    const broken = HANDSHAKE.filter(([name]) => name !== 'sec-websocket-key');
    const { reply } = take(exchangeOf({ headers: broken }));
    assert.deepEqual([reply.status, reply.closes], [400, true]);
    assert.deepEqual(counted, ['answered 400', 'handshake bad_request']);
    assert.deepEqual(done, []);
  });

  it('is refused with 426 and the supported version if it has another one', () => {
    const { take, counted } = route();
    const old = HANDSHAKE.map(([name, value]) => [name, name.endsWith('version') ? '8' : value] as const);
    const { reply } = take(exchangeOf({ headers: old }));
    assert.equal(reply.status, 426);
    assert.equal(reply.header('Sec-WebSocket-Version'), '13');
    assert.deepEqual(counted, ['answered 426', 'handshake bad_request']);
  });

  it('is refused with 503 while the listener drains, but plain requests are not', () => {
    const { take, done, counted, admission } = route();
    admission.draining = true;
    const { reply } = take(handshake());
    assert.deepEqual([reply.status, reply.closes, reply.header('Retry-After')], [503, false, '1']);
    assert.equal(reply.body, 'the proxy is draining\n');
    assert.deepEqual(counted, ['answered 503', 'handshake draining']);
    take(exchangeOf());
    assert.deepEqual(done, ['request started']);
  });

  it('does not count as a request in flight', () => {
    const { take, counted } = route();
    assert.equal(take(handshake()).inFlight, null);
    assert.deepEqual(counted, []);
  });

  it("carries the client's offers and identity", () => {
    const { take, upgrades } = route({ listener: { via: true } });
    const exchange = take(handshake('/', [['sec-websocket-protocol', 'chat, echo']]));
    const [order] = upgrades;
    assert.deepEqual(order!.subprotocols, ['chat', 'echo']);
    assert.equal(order!.client, exchange.client);
    assert.equal(order!.requester, exchange);
    assert.equal(order!.via, true);
    assert.equal(order!.secure, false);
  });

  for (const [compression, offered] of [
    ['passthrough', 'x-a; b=1, x-c'],
    ['off', ''],
    ['shared', ''],
  ] as const) {
    it(`offers ${offered === '' ? 'no extension' : "the client's extensions"} with compression: ${compression}`, () => {
      const { take, upgrades } = route({
        listener: { websocket: { ...l7Listener.websocket, compression } },
      });
      take(
        handshake('/', [
          ['sec-websocket-extensions', 'x-a; b=1'],
          ['sec-websocket-extensions', 'x-c'],
        ]),
      );
      assert.equal(upgrades[0]!.extensions, offered);
    });
  }

  it("offers no extension if the client's engine cannot relay it", () => {
    const { take, upgrades } = route({
      listener: { websocket: { ...l7Listener.websocket, compression: 'passthrough' } },
    });
    const exchange = handshake('/', [['sec-websocket-extensions', 'x-a']]);
    take({ ...exchange, engine: { ...exchange.engine, passesExtensions: false } });
    assert.equal(upgrades[0]!.extensions, '');
  });

  it('is cancelled when its client disconnects', () => {
    const { take, done } = route();
    take(handshake()).reply.abort();
    assert.deepEqual(done, ['upgrade started, client there', 'client gone']);
  });
});

describe('a request', () => {
  it('counts as in flight until it has ended', () => {
    const { take, requests, counted } = route();
    const exchange = take(exchangeOf());
    assert.notEqual(exchange.inFlight, null);
    assert.deepEqual(counted, ['begun']);
    requests[0]!.done(200, null, null, 0, null);
    assert.deepEqual(counted, ['begun', 'answered 200']);
  });

  it('counts as refused if it caused its own failure', () => {
    const { take, requests, counted } = route();
    take(exchangeOf({ method: 'POST', body: SILENT_BODY }));
    requests[0]!.done(413, null, 'body_too_large', 0, { reason: 'body_too_large', detail: 'too large' });
    assert.deepEqual(counted, ['begun', 'refused body_too_large', 'answered 413']);
  });

  it("has the reason of sluice's failure in its line, but counts as no refusal", () => {
    const lines: JournalLine[] = [];
    const { take, requests, counted } = route({ journal: journalOf(lines) });
    take(exchangeOf());
    take(exchangeOf());
    requests[0]!.done(502, null, null, 1, { reason: 'dial_failed', detail: 'cannot be reached' });
    // The endpoint's own error.
    requests[1]!.done(502, null, null, 1, null);
    assert.deepEqual(
      lines.map(({ status, reason, detail }) => [status, reason, detail]),
      [
        [502, 'dial_failed', 'cannot be reached'],
        [502, undefined, undefined],
      ],
    );
    assert.deepEqual(counted, ['begun', 'begun', 'answered 502', 'answered 502']);
  });

  it("of HTTP/1.0 without a host gets the cluster's name as its host", () => {
    const { take, requests } = route({ listener: { via: true } });
    const exchange = exchangeOf();
    exchange.head = { ...exchange.head, isHttp10: true };
    take(exchange, [], '');
    assert.equal(requests[0]!.to.host, 'app');
    assert.deepEqual(requests[0]!.to.forwarded.slice(-2), ['Via', '1.0 sluice']);
  });

  it('goes upstream with its body and reply', () => {
    const { take, requests } = route();
    const exchange = take(exchangeOf({ method: 'POST', body: SILENT_BODY }));
    const [order] = requests;
    assert.equal(order!.body, SILENT_BODY);
    assert.equal(order!.reply, exchange.reply);
    assert.equal(order!.head, exchange.head);
    assert.equal(order!.requestId, 'id-1');
  });

  for (const [length, maxBodySize, status] of [
    ['101', 100, 413],
    ['100', 100, 0],
    ['101', 0, 0],
  ] as const) {
    it(`of ${length} bytes is ${status === 0 ? 'accepted' : 'refused'} under a limit of ${maxBodySize}`, () => {
      const { take, done, counted } = route({
        listener: { http: { ...l7Listener.http, maxBodySize } },
      });
      const { reply } = take(exchangeOf({ method: 'POST', headers: [['content-length', length]] }));
      assert.equal(reply.status, status);
      assert.deepEqual(done, status === 0 ? ['request started'] : []);
      assert.equal(counted.includes('refused body_too_large'), status !== 0);
    });
  }

  it('ends the connection if its path is refused and its body is chunked', () => {
    const { take } = route({ rewrite: { path: '/files/$1' } });
    const chunked = {
      method: 'POST',
      headers: [['transfer-encoding', 'chunked']],
      body: SILENT_BODY,
    } as const;
    assert.equal(take(exchangeOf(chunked), ['../secret']).reply.closes, true);
  });
});

describe('the target of a route', () => {
  it("is the client's own without a rewrite", () => {
    const { take, requests } = route();
    take(exchangeOf({ target: '/a/b?c=d&e' }));
    const { to } = requests[0]!;
    assert.deepEqual([to.target, to.host], ['/a/b?c=d&e', null]);
    assert.equal(to.edits, NO_EDITS);
  });

  it('has no query if the client sent none, but keeps an empty one', () => {
    const { take, upgrades, requests } = route();
    take(handshake('/chat'));
    assert.equal(upgrades[0]!.to.target, '/chat');
    const exchange = exchangeOf({ target: '/chat' });
    take({ ...exchange, head: { ...exchange.head, hasEmptyQuery: true } });
    assert.equal(requests[0]!.to.target, '/chat?');
  });

  it('loses the prefix, which the endpoint gets in a header, and keeps the query', () => {
    const { take, upgrades } = route({ rewrite: { stripPrefix: '/api/' } });
    take(handshake('/api/v1?x=1'));
    const { target, forwarded } = upgrades[0]!.to;
    assert.equal(target, '/v1?x=1');
    assert.equal(forwardedOf(forwarded, 'X-Forwarded-Prefix'), '/api');
  });

  it('announces no prefix that the path does not have', () => {
    const { take, requests } = route({ rewrite: { stripPrefix: '/api' } });
    take(exchangeOf({ target: '/apis' }));
    const { target, forwarded } = requests[0]!.to;
    assert.equal(target, '/apis');
    assert.equal(forwardedOf(forwarded, 'X-Forwarded-Prefix'), undefined);
  });

  it('contains the groups of the path, and another host', () => {
    const { take, requests } = route({ rewrite: { path: '/v2/$1', host: 'inner.example' } });
    take(exchangeOf({ target: '/users/7' }), ['7']);
    const { to } = requests[0]!;
    assert.deepEqual([to.target, to.host], ['/v2/7', 'inner.example']);
  });

  for (const kind of ['handshake', 'request'] as const) {
    it(`refuses a ${kind} whose new path has a dot segment`, () => {
      const { take, done, counted } = route({ rewrite: { path: '/files/$1' } });
      const { reply } = take(kind === 'handshake' ? handshake() : exchangeOf(), ['../secret']);
      assert.equal(reply.status, 400);
      assert.deepEqual(done, []);
      assert.deepEqual(
        counted,
        kind === 'handshake'
          ? ['answered 400', 'handshake dot_segment']
          : ['begun', 'refused dot_segment', 'answered 400'],
      );
    });
  }

  it("contains the client's identity, and a Via header if the listener adds it", () => {
    for (const via of [false, true]) {
      const { take, requests } = route({ listener: { via } });
      take(exchangeOf());
      const { forwarded } = requests[0]!.to;
      assert.equal(forwardedOf(forwarded, 'X-Forwarded-For'), '192.0.2.7');
      assert.equal(forwardedOf(forwarded, 'X-Forwarded-Host'), 'example.com');
      assert.equal(forwardedOf(forwarded, 'Via'), via ? '1.1 sluice' : undefined);
    }
  });

  it("contains the route's edits of the request", () => {
    const request = { set: new Map([['x-a', '1']]), add: new Map([['x-b', '2']]), remove: ['x-c'] };
    const { take, requests } = route({ request });
    take(exchangeOf());
    const { edits } = requests[0]!.to;
    assert.deepEqual([...edits.dropped].sort(), ['x-a', 'x-c']);
    assert.deepEqual(edits.added, ['x-a', '1', 'x-b', '2']);
  });
});

describe('the choice of an endpoint', () => {
  it("follows the cluster's current configuration, which may change", () => {
    const { take, requests, cluster } = route();
    const exchange = { headers: [['x-user', 'u1']] } as const;
    take(exchangeOf(exchange));
    cluster.config = clusterConfig({ hashOn: { kind: 'header', name: 'x-user' } });
    take(exchangeOf(exchange));
    assert.deepEqual(
      requests.map(({ pick }) => [pick.source, pick.hashKey]),
      [
        ['192.0.2.7', null],
        ['192.0.2.7', 'u1'],
      ],
    );
  });
});

function forwardedOf(forwarded: readonly string[], name: string): string | undefined {
  const at = forwarded.indexOf(name);
  return at < 0 ? undefined : forwarded[at + 1];
}
