/** The state that a listener keeps from one configuration to the next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7Listener } from '../../primary/fixtures/config.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { HANDSHAKE } from './exchanges.ts';
import { ANY, listener, respond, routeOf, to, type Terms, type World } from './world.ts';

/** A listener after a handshake on a path. */
function used(terms: Terms, kept?: Parameters<typeof listener>[1], target = '/a'): World {
  const world = listener(terms, kept);
  world.take({ target, headers: HANDSHAKE });
  return world;
}

describe('the contexts of a listener', () => {
  it('are created by the first requests on their routes', () => {
    const routes = ['a', 'b', 'c'].map((name) => routeOf(name, { pathPrefix: `/${name}` }, to('app')));
    const { dispatcher, take } = listener({ routes });
    assert.equal(dispatcher.contexts.length, 0);
    for (const target of ['/c', '/a', '/c']) take({ target, headers: HANDSHAKE });
    assert.deepEqual(
      dispatcher.contexts.map(({ route }) => route.name),
      ['c', 'a'],
    );
  });
});

describe('the next configuration of a listener', () => {
  const first: Terms = { routes: [routeOf('a', { pathPrefix: '/a' }, to('app'))] };
  const [route] = first.routes;

  it('keeps the context of a route if nothing changes for its sessions', () => {
    const before = used(first);
    const moved = { ...route!, match: { ...ANY, pathPrefix: '/b' } };
    const next = listener({ routes: [routeOf('new', {}, respond('new')), moved] }, before);
    assert.equal(next.dispatcher.contexts.length, 1);
    assert.equal(next.dispatcher.contexts[0], before.dispatcher.contexts[0]);
    next.take({ target: '/b', headers: HANDSHAKE });
    assert.equal(next.dispatcher.contexts.length, 1);
  });

  it('keeps a context that was created after it was prepared', () => {
    const before = listener(first);
    const next = listener(first, before, { inherits: false });
    before.take({ target: '/a', headers: HANDSHAKE });
    next.dispatcher.inherit(before.dispatcher);
    assert.equal(next.dispatcher.contexts[0], before.dispatcher.contexts[0]);
  });

  for (const [name, terms] of [
    [
      'the sessions’ settings',
      { ...first, listener: { websocket: { ...l7Listener.websocket, maxMessageSize: 9 } } },
    ],
    ['how long a body may idle', { ...first, listener: { http: { ...l7Listener.http, idleTimeoutMs: 9 } } }],
    [
      'how long connections are kept',
      { ...first, listener: { http: { ...l7Listener.http, keepAliveMs: 9 } } },
    ],
    ['the masks of frames', { ...first, clusters: [clusterConfig({ masking: 'random' })] }],
    ['the name of the route', { routes: [{ ...route!, name: 'b' }] }],
  ] as const) {
    it(`has a new context that covers the old one if it changes ${name}`, () => {
      const before = used(first);
      const [old] = before.dispatcher.contexts;
      // The clusters change before the listeners.
      const { clusters: [changed] = [] }: Terms = terms;
      if (changed !== undefined) old!.cluster.config = changed;
      const { dispatcher } = used(terms, before);
      assert.equal(dispatcher.contexts.length, 1);
      assert.notEqual(dispatcher.contexts[0], old);
      assert.equal(dispatcher.covers(old!), true);
    });
  }

  it('has a new context for another cluster with the same name', () => {
    const before = used(first);
    const { dispatcher } = used(first, { ...before, clusters: listener(first).clusters });
    assert.notEqual(dispatcher.contexts[0], before.dispatcher.contexts[0]);
  });

  it('covers a context if a route with its name or conditions leads to the same cluster', () => {
    const both = [clusterConfig(), clusterConfig({ name: 'other' })];
    const before = used({ ...first, clusters: both });
    const [old] = before.dispatcher.contexts;
    for (const [routes, expected] of [
      [[{ ...route!, match: ANY }], true],
      [[{ ...route!, name: 'b' }], true],
      [[{ ...route!, name: 'b', match: ANY }], false],
      [[{ ...route!, name: 'b', match: { ...route!.match, subprotocol: 'c' } }], false],
      [[{ ...route!, action: to('other') }], false],
      [[{ ...route!, action: respond('a') }], false],
      [[], false],
    ] as const) {
      const { dispatcher } = listener({ routes, clusters: both }, before);
      assert.equal(dispatcher.covers(old!), expected);
    }
  });

  it('covers a context if a route has its hosts in another order', () => {
    const hosts = ['example.com', 'a.example'];
    const old = routeOf('route-1', { hosts }, to('app'));
    const before = used({ routes: [old] });
    for (const [others, expected] of [
      [hosts.toReversed(), true],
      [[...hosts, 'b.example'], false],
    ] as const) {
      const moved = { ...old, name: 'route-2', match: { ...old.match, hosts: others } };
      const { dispatcher } = listener({ routes: [moved] }, before);
      assert.equal(dispatcher.covers(before.dispatcher.contexts[0]!), expected);
    }
  });

  it('continues to refuse handshakes if the listener drains', () => {
    const before = listener(first);
    before.dispatcher.draining = true;
    assert.equal(listener(first, before).dispatcher.draining, true);
  });

  it('leaves open requests with their dispatcher', () => {
    const before = listener(first);
    const exchange = before.take({ target: '/a' });
    const next = listener(first, before);
    assert.deepEqual([before.dispatcher.open, next.dispatcher.open], [1, 0]);
    before.dispatcher.over(exchange);
    assert.equal(before.dispatcher.open, 0);
  });
});
