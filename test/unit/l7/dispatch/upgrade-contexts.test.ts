/** What a listener keeps of one configuration under the next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7Listener } from '../../primary/fixtures/config.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { ANY, listener, respond, routeOf, to, type Terms } from './world.ts';

describe('the next configuration of a listener', () => {
  const first: Terms = { routes: [routeOf('a', { pathPrefix: '/a' }, to('app'))] };
  const [route] = first.routes;

  it('keeps the context of a route for whose sessions nothing changes', () => {
    const before = listener(first);
    const moved = { ...route!, match: { ...ANY, pathPrefix: '/b' } };
    const next = listener({ routes: [routeOf('new', {}, respond('new')), moved] }, before);
    assert.equal(next.dispatcher.contexts.length, 1);
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
    it(`has another context if it changes ${name}, which covers the older one`, () => {
      const before = listener(first);
      const [old] = before.dispatcher.contexts;
      const { dispatcher } = listener(terms, before);
      assert.notEqual(dispatcher.contexts[0], old);
      assert.equal(dispatcher.covers(old!), true);
    });
  }

  it('has another context for another cluster of the same name', () => {
    const before = listener(first);
    const { dispatcher } = listener(first, { ...before, clusters: listener(first).clusters });
    assert.notEqual(dispatcher.contexts[0], before.dispatcher.contexts[0]);
  });

  it('covers a context if a route of its name or conditions leads to the same cluster', () => {
    const both = [clusterConfig(), clusterConfig({ name: 'other' })];
    const before = listener({ ...first, clusters: both });
    const [old] = before.dispatcher.contexts;
    for (const [routes, expected] of [
      [[{ ...route!, match: ANY }], true],
      [[{ ...route!, name: 'b' }], true],
      [[{ ...route!, name: 'b', match: ANY }], false],
      [[{ ...route!, action: to('other') }], false],
      [[{ ...route!, action: respond('a') }], false],
      [[], false],
    ] as const) {
      const { dispatcher } = listener({ routes, clusters: both }, before);
      assert.equal(dispatcher.covers(old!), expected);
    }
  });

  it('goes on to refuse handshakes if the listener drains', () => {
    const before = listener(first);
    before.dispatcher.draining = true;
    assert.equal(listener(first, before).dispatcher.draining, true);
  });

  it('leaves open requests with the dispatcher that has taken them', () => {
    const before = listener(first);
    const exchange = before.take({ target: '/a' });
    const next = listener(first, before);
    assert.deepEqual([before.dispatcher.open, next.dispatcher.open], [1, 0]);
    before.dispatcher.over(exchange);
    assert.equal(before.dispatcher.open, 0);
  });
});
